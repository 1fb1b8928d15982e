import { expect, test } from "vitest";
import type { KubernetesObject } from "../apimachinery/index.ts";
import { DecodeError, decodeValue } from "../apimachinery/codec/index.ts";
import { SchemaAlternative } from "../apimachinery/schema/index.ts";
import type { ScalarType, StructType, Type } from "../apimachinery/schema/types.ts";
import type { Random } from "../base/index.ts";
import { seededRandom } from "../base/index.ts";
import type { RequestContext, ResourceDefinition } from "./definition.ts";
import { definitions } from "./registry.ts";
import { schemas } from "./schema.ts";
import { testNow } from "./testing/check.ts";

const objectsOfKind = 12;
const deepest = 9;
const texts = ["", "a", "A_/", "a.b/c", "*", "v1", "1Gi", "True", "x".repeat(300)];

/** Objects with any of their fields absent, null or full of nonsense. */
class Nonsense {
  readonly #random: Random;
  /** How often a field is there. */
  readonly #density: number;

  constructor(random: Random) {
    this.#random = random;
    this.#density = random.next();
  }

  struct(type: StructType, depth: number): object {
    const fields = type.fields.filter(() => depth < deepest && this.#random.next() < this.#density);
    return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, depth + 1)]));
  }

  #value(type: Type, depth: number): unknown {
    if (this.#random.next() < 0.1) return null;
    const count = this.#below(3);
    switch (type.kind) {
      case "struct":
        return this.struct(type, depth);
      case "list":
        return Array.from({ length: count }, () => this.#value(type.element, depth + 1));
      case "map":
        return Object.fromEntries(
          Array.from({ length: count }, () => [this.#pick(texts), this.#value(type.value, depth + 1)]),
        );
      default:
        return this.#scalar(type, depth);
    }
  }

  #scalar(type: ScalarType, depth: number): unknown {
    if (type instanceof SchemaAlternative) {
      return this.#random.next() < 0.5 ? this.struct(type.schema, depth) : type.form === "boolean";
    }
    switch (type.kind) {
      case "boolean":
        return this.#random.next() < 0.5;
      case "int32":
      case "int64":
      case "uint64":
      case "float64":
        return this.#pick([0, 1, -1, 70_000]);
      case "bytes":
        return this.#pick(["", "YQ=="]);
      case "quantity":
        return this.#pick(["0", "1Gi", "-5m"]);
      case "time":
        return "2026-01-01T00:00:00Z";
      case "microTime":
        return "2026-01-01T00:00:00.000000Z";
      case "duration":
        return "1m0s";
      case "intOrString":
        return this.#pick([0, 5, "50%", "x", ""]);
      case "raw":
      case "fieldsV1":
        return this.#pick([{}, { apiVersion: "v1", kind: "Pod" }]);
      case "json":
        return this.#pick<unknown>([{}, [], "x", 0]);
      case "string":
        return this.#pick([...(type.values ?? []), ...texts]);
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }
}

const create: RequestContext = { now: testNow, operation: "create" };
const update: RequestContext = { now: testNow, operation: "update" };
const updateStatus: RequestContext = { ...update, subresource: "status" };

/** All that the rules of a kind do with a new object, and with one that replaces another. */
function exercise(definition: ResourceDefinition, sent: KubernetesObject, other: KubernetesObject): void {
  const object = definition.defaults?.(sent) ?? sent;
  const before = definition.defaults?.(other) ?? other;
  const created = definition.prepareForCreate?.(object, create) ?? object;
  const old = definition.prepareForCreate?.(before, create) ?? before;
  definition.validate?.(created, create);
  definition.validateCreate?.(created, create);
  definition.warnings?.(object, undefined);
  const updated = definition.prepareForUpdate?.(object, old, update) ?? object;
  definition.validate?.(updated, update);
  definition.validateUpdate?.(updated, old, update);
  definition.warnings?.(updated, old);
  const reported = definition.prepareForStatusUpdate?.(object, old, updateStatus) ?? object;
  definition.validateUpdate?.(reported, old, updateStatus);
  for (const column of definition.columns ?? []) column.value(object, testNow);
  for (const select of Object.values(definition.selectableFields ?? {})) select(object);
}

test.each(definitions.map((definition) => [definition.resource, definition] as const))(
  "the rules of $group/$version $kind bear any object",
  (resource, definition) => {
    const random = seededRandom(11);
    const type = schemas.typeOf(resource) as StructType;
    const objects: KubernetesObject[] = [];
    const failures = new Set<string>();
    for (let index = 0; index < objectsOfKind; index++) {
      const sketch = index === 0 ? {} : new Nonsense(random).struct(type, 0);
      try {
        const { object } = decodeValue({ ...sketch, metadata: { name: "a" } }, type);
        objects.push({ ...object, metadata: { name: "a", namespace: "b", uid: "c" } } as KubernetesObject);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    for (const [index, object] of objects.entries()) {
      try {
        exercise(definition, object, objects[index - 1] ?? object);
      } catch (error) {
        failures.add(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
    expect([...failures]).toEqual([]);
  },
);
