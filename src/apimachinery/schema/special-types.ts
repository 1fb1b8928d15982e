import type { ScalarKind, ScalarType, StructType } from "./types.ts";

/** Go structs that are scalars in JSON. */
export const specialKinds: Readonly<Record<string, ScalarKind>> = {
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microTime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "fieldsV1",
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
  "io.k8s.apimachinery.pkg.runtime.Unknown": "raw",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "json",
};

/** Whether `name` is `runtime.Unknown`: raw JSON whose protobuf form carries a content type. */
export function isRuntimeUnknown(type: ScalarType): boolean {
  return type.name === "io.k8s.apimachinery.pkg.runtime.Unknown";
}

const alternativeForms = {
  JSONSchemaPropsOrBool: "boolean",
  JSONSchemaPropsOrArray: "schemas",
  JSONSchemaPropsOrStringArray: "strings",
} as const;

export type AlternativeForm = (typeof alternativeForms)[keyof typeof alternativeForms];

/** A JSON schema, or a boolean, a list of schemas or a list of strings in its place. */
export class SchemaAlternative implements ScalarType {
  readonly kind = "json";
  readonly name: string;
  readonly form: AlternativeForm;
  readonly schema: StructType;

  constructor(name: string, form: AlternativeForm, schema: StructType) {
    this.name = name;
    this.form = form;
    this.schema = schema;
  }

  static formOf(name: string): AlternativeForm | undefined {
    const typeName = name.slice(name.lastIndexOf(".") + 1);
    return typeName in alternativeForms
      ? alternativeForms[typeName as keyof typeof alternativeForms]
      : undefined;
  }
}
