import type { FieldFacts, JsonObject, Model, SchemaRegistry } from "../../apimachinery/index.ts";
import { describeField, describeType } from "./describe.ts";

/** Version 2 is Swagger's, version 3 has defaults and alternatives. */
export type Dialect = "v2" | "v3";

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

type Writable = Record<string, JsonObject[string]>;

const metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Go structs that are scalars in JSON: their whole definition. */
const specials: Readonly<Record<string, Readonly<Record<Dialect, JsonObject>>>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": {
    v2: { type: "string" },
    v3: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
    v2: { type: "string", format: "int-or-string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  [`${metaPackage}.Time`]: same({ type: "string", format: "date-time" }),
  [`${metaPackage}.MicroTime`]: same({ type: "string", format: "date-time" }),
  [`${metaPackage}.Duration`]: same({ type: "string" }),
  [`${metaPackage}.FieldsV1`]: same({ type: "object" }),
  "io.k8s.apimachinery.pkg.runtime.RawExtension": same({ type: "object" }),
  "io.k8s.apimachinery.pkg.runtime.Unknown": same({ type: "object" }),
};

function same(definition: JsonObject): Readonly<Record<Dialect, JsonObject>> {
  return { v2: definition, v3: definition };
}

/** Any JSON: apiextensions' JSON and what may stand in place of a schema. */
const anyValue = /\.apiextensions\.v1\.(?:JSON|JSONSchemaPropsOr\w+)$/;

const scalars: Readonly<Record<string, JsonObject>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int: { type: "integer", format: "int32" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  uint64: { type: "integer", format: "int64" },
  float64: { type: "number", format: "double" },
  "[]byte": { type: "string", format: "byte" },
  any: { type: "object" },
  "interface{}": { type: "object" },
};

export interface DefinitionsOptions {
  readonly schemas: SchemaRegistry;
  readonly dialect: Dialect;
  /** For the kinds that every group version has. */
  readonly served: readonly GroupVersion[];
}

/** Collects the definitions that a document refers to, each made once. */
export class Definitions {
  readonly #options: DefinitionsOptions;
  readonly #made = new Map<string, JsonObject>();
  /** Enumerations by package; filled when first asked for. */
  readonly #enums = new Map<string, Model["groupVersion"]["enums"]>();

  constructor(options: DefinitionsOptions) {
    this.#options = options;
  }

  /** A reference to the definition of a name, which is made with all that it refers to. */
  reference(name: string): JsonObject {
    if (!this.#made.has(name)) {
      const model = this.#options.schemas.model(name);
      if (model !== undefined) {
        this.#made.set(name, {});
        this.#made.set(name, this.#definition(model));
      }
    }
    const root = this.#options.dialect === "v2" ? "#/definitions/" : "#/components/schemas/";
    return { $ref: `${root}${name}` };
  }

  has(name: string): boolean {
    return this.#made.has(name);
  }

  /** Adds a definition that no facts have: of a custom resource. */
  add(name: string, definition: JsonObject): JsonObject {
    this.#made.set(name, definition);
    return this.reference(name);
  }

  sorted(): JsonObject {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #definition(model: Model): JsonObject {
    const description = describeType(model.typeName);
    const special = specials[model.name];
    if (special !== undefined) return { description, ...special[this.#options.dialect] };
    if (anyValue.test(model.name)) return { description };
    const properties: Writable = {};
    const required: string[] = [];
    this.#addProperties(model, { properties, required });
    const definition: Writable = { description, type: "object" };
    if (required.length > 0) definition["required"] = required;
    const named = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
    if (named.length > 0) definition["properties"] = Object.fromEntries(named);
    const kinds = this.#kindsOf(model);
    if (kinds.length > 0) definition["x-kubernetes-group-version-kind"] = kinds;
    if (model.facts.structType === "atomic") definition["x-kubernetes-map-type"] = "atomic";
    return definition;
  }

  #addProperties(model: Model, into: { readonly properties: Writable; readonly required: string[] }): void {
    for (const field of model.facts.f ?? []) {
      const name = field.j;
      if (field.in === 1) {
        const inlined = this.#options.schemas.model(qualified(field.t, model.groupVersion.package));
        if (inlined !== undefined) this.#addProperties(inlined, into);
      } else if (name !== undefined && name !== "" && name !== "-") {
        into.properties[name] = this.#property(model, field, name);
        const optional = field.o === 1 || field.oe === 1 || field.oz === 1;
        if (field.r === 1 || !optional) into.required.push(name);
      }
    }
  }

  #property(model: Model, field: FieldFacts, name: string): JsonObject {
    const schema = this.#schemaOf(field.t, model.groupVersion.package);
    const property: Writable = { description: describeField(model.typeName, name) };
    if (this.#options.dialect === "v2" || !("$ref" in schema)) Object.assign(property, schema);
    else property["allOf"] = [schema];
    const fallback = field.d ?? (this.#options.dialect === "v3" ? zeroDefault(field, schema) : undefined);
    if (fallback !== undefined) property["default"] = fallback as JsonObject[string];
    if (field.lt !== undefined) property["x-kubernetes-list-type"] = field.lt;
    if (field.lk !== undefined) property["x-kubernetes-list-map-keys"] = field.lk;
    const mapType = field.mt ?? field.st;
    if (mapType !== undefined) property["x-kubernetes-map-type"] = mapType;
    if (field.ps !== undefined) property["x-kubernetes-patch-strategy"] = field.ps;
    if (field.pk !== undefined) property["x-kubernetes-patch-merge-key"] = field.pk;
    return property;
  }

  #schemaOf(go: string, packageName: string): JsonObject {
    if (go.startsWith("*")) return this.#schemaOf(go.slice(1), packageName);
    const scalar = scalars[go];
    if (scalar !== undefined) return scalar;
    if (go.startsWith("[]")) return { type: "array", items: this.#elementOf(go.slice(2), packageName) };
    if (go.startsWith("map[")) {
      const value = go.slice(go.indexOf("]") + 1);
      return { type: "object", additionalProperties: this.#elementOf(value, packageName) };
    }
    const name = qualified(go, packageName);
    const model = this.#options.schemas.model(name);
    if (model === undefined) return this.#enumeration(name);
    if (model.facts.k === "struct") return this.reference(name);
    return this.#schemaOf(model.facts.t ?? "string", model.groupVersion.package);
  }

  #elementOf(go: string, packageName: string): JsonObject {
    const schema = this.#schemaOf(go, packageName);
    if (this.#options.dialect === "v2") return schema;
    const zero = zeroDefault({ n: "", t: go }, schema);
    if (zero === undefined) return schema;
    return "$ref" in schema ? { allOf: [schema], default: zero } : { ...schema, default: zero };
  }

  #enumeration(name: string): JsonObject {
    const cut = name.lastIndexOf(".");
    const enumeration = this.#enumsOf(name.slice(0, cut))?.[name.slice(cut + 1)];
    const base = scalars[enumeration?.t ?? "string"] ?? { type: "string" };
    return enumeration?.e === 1 ? { ...base, enum: [...enumeration.v].sort() } : base;
  }

  #enumsOf(packageName: string): Model["groupVersion"]["enums"] | undefined {
    if (this.#enums.size === 0) {
      for (const { groupVersion } of this.#options.schemas.models())
        this.#enums.set(groupVersion.package, groupVersion.enums);
    }
    return this.#enums.get(packageName);
  }

  #kindsOf(model: Model): readonly JsonObject[] {
    const { typeName: kind, groupVersion } = model;
    if (model.name === `${metaPackage}.DeleteOptions` || model.name === `${metaPackage}.WatchEvent`)
      return this.#options.served.map(({ group, version }) => ({ group, kind, version }));
    const hasTypeMeta = model.facts.f?.some((field) => field.in === 1 && field.t.endsWith(".TypeMeta"));
    if (hasTypeMeta !== true) return [];
    if (groupVersion.package === metaPackage)
      return /^(?:Status|API\w+)$/.test(kind) ? [{ group: "", kind, version: "v1" }] : [];
    const { group, version } = groupVersion;
    return groupVersion.kinds[kind] === undefined ? [] : [{ group, kind, version }];
  }
}

function qualified(go: string, packageName: string): string {
  const name = go.startsWith("*") ? go.slice(1) : go;
  return name.startsWith(".") ? packageName + name : name;
}

/** What version 3 gives as default for values that Go cannot leave out. */
function zeroDefault(field: FieldFacts, schema: JsonObject): JsonObject[string] | undefined {
  if (field.t.startsWith("*")) return undefined;
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.slice(reference.lastIndexOf("/") + 1);
    // What reads itself from JSON has null for its zero value.
    return specials[name] !== undefined || anyValue.test(name) ? undefined : {};
  }
  if (field.oe === 1 || field.oz === 1) return undefined;
  switch (schema["type"]) {
    case "string":
      return schema["format"] === "byte" ? undefined : "";
    case "integer":
    case "number":
      return 0;
    case "boolean":
      return false;
    default:
      return undefined;
  }
}
