import { invariant } from "../../base/index.ts";
import type { GroupVersionFacts, TypeFacts } from "../facts.ts";
import type { GroupVersionKind } from "../resource.ts";
import { FactsStruct } from "./facts-struct.ts";
import { splitName, type ApplyMarkers, type TypeResolver } from "./resolver.ts";
import { specialKinds, SchemaAlternative } from "./special-types.ts";
import type { ScalarKind, StructType, Type } from "./types.ts";

/** A named definition: what OpenAPI calls a model. */
export interface Model {
  /** As in OpenAPI, e.g. `io.k8s.api.core.v1.PodSpec`. */
  readonly name: string;
  /** The Go name, e.g. `PodSpec`. */
  readonly typeName: string;
  readonly groupVersion: GroupVersionFacts;
  readonly facts: TypeFacts;
  readonly type: Type;
}

/** The types of every kind, resolved from the facts when first asked for. */
export interface SchemaRegistry {
  /** The type of a kind; the kinds of requests (`DeleteOptions`, `Status`, …) are in every group version. */
  typeOf(kind: GroupVersionKind): StructType | undefined;
  model(name: string): Model | undefined;
  models(): readonly Model[];
}

/** Kinds of `meta/v1` that every group version has. */
const kindsEverywhere: ReadonlySet<string> = new Set([
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
  "APIVersions",
  "CreateOptions",
  "DeleteOptions",
  "GetOptions",
  "ListOptions",
  "PatchOptions",
  "Status",
  "UpdateOptions",
  "WatchEvent",
]);
const metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";

export function createSchemaRegistry(facts: readonly GroupVersionFacts[]): SchemaRegistry {
  return new FactsRegistry(facts);
}

/** Resolves Go type names to types; shared by all structs of a registry. */
class FactsRegistry implements SchemaRegistry, TypeResolver {
  readonly #byPackage = new Map<string, GroupVersionFacts>();
  readonly #byGroupVersion = new Map<string, GroupVersionFacts>();
  readonly #structs = new Map<string, FactsStruct>();
  #models: readonly Model[] | undefined;

  constructor(facts: readonly GroupVersionFacts[]) {
    for (const groupVersion of facts) {
      this.#byPackage.set(groupVersion.package, groupVersion);
      this.#byGroupVersion.set(`${groupVersion.group}/${groupVersion.version}`, groupVersion);
    }
  }

  typeOf(kind: GroupVersionKind): StructType | undefined {
    const own = this.#byGroupVersion.get(`${kind.group}/${kind.version}`);
    const found = own?.types[kind.kind];
    // A kind embeds TypeMeta: PodSpec is a type of the group version, but no kind.
    if (own !== undefined && found !== undefined && hasTypeMeta(found))
      return this.struct(own.package, kind.kind);
    if (found?.k === "named" && kind.kind === "List") return this.struct(metaPackage, "List");
    if (kindsEverywhere.has(kind.kind)) return this.struct(metaPackage, kind.kind);
    return undefined;
  }

  model(name: string): Model | undefined {
    const [packageName, typeName] = splitName(name);
    const groupVersion = this.#byPackage.get(packageName);
    const facts = groupVersion?.types[typeName];
    if (groupVersion === undefined || facts === undefined) return undefined;
    const resolve = () => this.resolve(`.${typeName}`, packageName);
    return {
      name,
      typeName,
      groupVersion,
      facts,
      get type() {
        return resolve();
      },
    };
  }

  models(): readonly Model[] {
    this.#models ??= [...this.#byPackage.values()].flatMap((groupVersion) =>
      Object.keys(groupVersion.types)
        .map((typeName) => this.model(`${groupVersion.package}.${typeName}`))
        .filter((model) => model !== undefined),
    );
    return this.#models;
  }

  factsOf(name: string): TypeFacts | undefined {
    const [packageName, typeName] = splitName(name);
    return this.#byPackage.get(packageName)?.types[typeName];
  }

  struct(packageName: string, typeName: string, structType?: "granular" | "atomic"): FactsStruct {
    const name = `${packageName}.${typeName}`;
    const facts = this.factsOf(name);
    invariant(facts !== undefined, `no facts of type ${name}`);
    const applied = structType ?? facts.structType ?? "granular";
    const cached = this.#structs.get(`${name} ${applied}`);
    if (cached !== undefined) return cached;
    const struct = new FactsStruct({
      registry: this,
      packageName,
      typeName,
      facts,
      structType: applied,
    });
    this.#structs.set(`${name} ${applied}`, struct);
    return struct;
  }

  resolve(go: string, packageName: string, apply: ApplyMarkers = {}): Type {
    if (go.startsWith("*")) return this.resolve(go.slice(1), packageName, apply);
    const scalar = builtinScalars[go];
    if (scalar !== undefined) return { kind: scalar };
    if (go.startsWith("[]")) {
      return {
        kind: "list",
        element: this.resolve(go.slice(2), packageName),
        listType: apply.listType ?? "atomic",
        mapKeys: apply.mapKeys ?? [],
      };
    }
    if (go.startsWith("map[")) {
      const value = this.resolve(go.slice(go.indexOf("]") + 1), packageName);
      return { kind: "map", value, mapType: apply.mapType ?? "granular" };
    }
    return this.#named(go.startsWith(".") ? packageName + go : go, apply);
  }

  #named(name: string, apply: ApplyMarkers): Type {
    const special = specialKinds[name];
    if (special !== undefined) return { kind: special, name };
    const [packageName, typeName] = splitName(name);
    const groupVersion = this.#byPackage.get(packageName);
    const facts = groupVersion?.types[typeName];
    if (facts === undefined) {
      const enumeration = groupVersion?.enums[typeName];
      const kind = builtinScalars[enumeration?.t ?? "string"] ?? "string";
      return enumeration?.e === 1 ? { kind, name, values: enumeration.v } : { kind, name };
    }
    const form = SchemaAlternative.formOf(name);
    if (form !== undefined)
      return new SchemaAlternative(name, form, this.struct(packageName, "JSONSchemaProps"));
    if (facts.k === "struct")
      return this.struct(packageName, typeName, apply.structType ?? apply.mapType ?? undefined);
    const beneath = this.resolve(facts.t ?? "string", packageName, apply);
    return beneath.kind === "list" || beneath.kind === "struct" || facts.k === "alias"
      ? beneath
      : { ...beneath, name };
  }
}

const builtinScalars: Readonly<Record<string, ScalarKind>> = {
  string: "string",
  bool: "boolean",
  int: "int64",
  int32: "int32",
  int64: "int64",
  uint64: "uint64",
  float64: "float64",
  "[]byte": "bytes",
  any: "json",
  "interface{}": "json",
};

function hasTypeMeta(facts: TypeFacts): boolean {
  return facts.f?.some((field) => field.in === 1 && field.t.endsWith(".TypeMeta")) ?? false;
}
