import type { FieldDeclaration, TypeProvider } from "../check/declarations.ts";
import {
  boolType,
  dynType,
  intType,
  listType,
  mapType,
  objectType,
  stringType,
  timestampType,
  type CelType,
  type Kind,
} from "../check/types.ts";
import { declaredProvider, type DeclaredType } from "../declared/declared-type.ts";
import type { Environment } from "../environment.ts";
import { kubernetesEnvironment } from "../kubernetes.ts";
import { authorizerType, resourceCheckType } from "../library/authorizer.ts";
import { jsonPatchLibrary } from "../library/json-patch.ts";
import type { Value } from "../values/value.ts";
import { objectOfType } from "./patch-types.ts";

/** What expressions of admission may name besides the request and its objects. */
export interface AdmissionEnvironmentOptions {
  readonly params?: boolean;
  readonly authorizer?: boolean;
  /** The types of patches: `Object`, what is within it, and `JSONPatch`. */
  readonly patches?: boolean;
  /** Results of earlier expressions, `variables.name`: those that the map holds when an expression is compiled. */
  readonly variables?: ReadonlyMap<string, CelType>;
  /** The types of objects and parameters where expressions are only checked; a type that is absent is any. */
  readonly typed?: {
    readonly object: DeclaredType | undefined;
    readonly params: DeclaredType | undefined;
  };
}

type Fields = Readonly<Record<string, CelType>>;

const texts = listType(stringType);
const textMap = mapType(stringType, stringType);
const groupVersion = { group: stringType, version: stringType };
const kindType = objectType("kubernetes.GroupVersionKind");
const resourceType = objectType("kubernetes.GroupVersionResource");
const variablesType = objectType("kubernetes.variables");

/** What an expression that makes a patch of apply configurations returns. */
export const objectPatchType = objectType("Object");
/** What an expression that makes a JSON patch returns a list of. */
export const jsonPatchType = objectType("JSONPatch");

const knownTypes: Readonly<Record<string, Fields>> = {
  [kindType.name]: { ...groupVersion, kind: stringType },
  [resourceType.name]: { ...groupVersion, resource: stringType },
  "kubernetes.UserInfo": {
    username: stringType,
    uid: stringType,
    groups: texts,
    extra: mapType(stringType, texts),
  },
  "kubernetes.AdmissionRequest": {
    kind: kindType,
    resource: resourceType,
    subResource: stringType,
    requestKind: kindType,
    requestResource: resourceType,
    requestSubResource: stringType,
    name: stringType,
    namespace: stringType,
    operation: stringType,
    userInfo: objectType("kubernetes.UserInfo"),
    dryRun: boolType,
    options: dynType,
  },
  "kubernetes.NamespaceMetadata": {
    name: stringType,
    generateName: stringType,
    namespace: stringType,
    labels: textMap,
    annotations: textMap,
    UID: stringType,
    creationTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    deletionTimestamp: timestampType,
    generation: intType,
    resourceVersion: stringType,
    finalizers: texts,
  },
  "kubernetes.NamespaceSpec": { finalizers: texts },
  "kubernetes.NamespaceCondition": {
    status: stringType,
    type: stringType,
    lastTransitionTime: timestampType,
    message: stringType,
    reason: stringType,
  },
  "kubernetes.NamespaceStatus": {
    conditions: listType(objectType("kubernetes.NamespaceCondition")),
    phase: stringType,
  },
  "kubernetes.Namespace": {
    metadata: objectType("kubernetes.NamespaceMetadata"),
    spec: objectType("kubernetes.NamespaceSpec"),
    status: objectType("kubernetes.NamespaceStatus"),
  },
};

const patchFields: Fields = { op: stringType, path: stringType, from: stringType, value: dynType };

/** The environment of admission: of policies, and of the conditions of webhooks. */
export function admissionEnvironment(
  minorVersion: number,
  options: AdmissionEnvironmentOptions = {},
): Environment {
  const { params, authorizer, patches = false, variables, typed } = options;
  const object = typed?.object?.type ?? dynType;
  const declared = [typed?.object, typed?.params].filter((type) => type !== undefined);
  return kubernetesEnvironment(minorVersion, {
    variables: {
      object,
      oldObject: object,
      namespaceObject: objectType("kubernetes.Namespace"),
      request: objectType("kubernetes.AdmissionRequest"),
      ...(params && { params: typed?.params?.type ?? dynType }),
      ...(authorizer && { authorizer: authorizerType }),
      // Upstream knows it only where expressions are evaluated.
      ...(authorizer && !typed && { "authorizer.requestResource": resourceCheckType }),
      ...(variables && { variables: variablesType }),
    },
    provider: new AdmissionTypes({ patches, variables, declared: declaredProvider(declared) }),
    libraries: patches ? [jsonPatchLibrary] : [],
  });
}

/** How later expressions see the result of an earlier one: plain types as they are, all others as unknown. */
export function variableType(result: CelType | undefined): CelType {
  if (result === undefined || opaqueKinds.has(result.kind)) return dynType;
  const parameters = result.parameters.map(variableType);
  return parameters.length === 0 ? result : { ...result, parameters };
}

const opaqueKinds: ReadonlySet<Kind> = new Set(["object", "opaque", "type", "parameter", "error"]);

class AdmissionTypes implements TypeProvider {
  readonly #patches: boolean;
  readonly #variables: ReadonlyMap<string, CelType> | undefined;
  readonly #declared: TypeProvider;

  constructor({
    patches,
    variables,
    declared,
  }: {
    readonly patches: boolean;
    readonly variables: ReadonlyMap<string, CelType> | undefined;
    readonly declared: TypeProvider;
  }) {
    this.#patches = patches;
    this.#variables = variables;
    this.#declared = declared;
  }

  findType(name: string): CelType | undefined {
    const isVariables = name === variablesType.name && this.#variables !== undefined;
    const isKnown = isVariables || this.#isPatch(name) || this.#fieldsOf(name) !== undefined;
    return isKnown ? objectType(name) : this.#declared.findType(name);
  }

  findField(typeName: string, name: string): FieldDeclaration | undefined {
    // Nothing is known of the object that a patch is for.
    if (this.#isPatch(typeName)) return { type: dynType };
    const variable = typeName === variablesType.name ? this.#variables?.get(name) : undefined;
    if (variable) return { type: variable };
    const fields = this.#fieldsOf(typeName);
    const type = fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
    return type ? { type } : this.#declared.findField(typeName, name);
  }

  construct(typeName: string, fields: Readonly<Record<string, Value>>): Value {
    return objectOfType(typeName, fields);
  }

  #isPatch(name: string): boolean {
    return this.#patches && (name === objectPatchType.name || name.startsWith(`${objectPatchType.name}.`));
  }

  #fieldsOf(name: string): Fields | undefined {
    if (name === jsonPatchType.name) return this.#patches ? patchFields : undefined;
    return Object.hasOwn(knownTypes, name) ? knownTypes[name] : undefined;
  }
}
