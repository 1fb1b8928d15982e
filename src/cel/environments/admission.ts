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
} from "../check/types.ts";
import type { Environment } from "../environment.ts";
import { kubernetesEnvironment } from "../kubernetes.ts";
import { authorizerType, resourceCheckType } from "../library/authorizer.ts";
import { jsonPatchLibrary } from "../library/json-patch.ts";

/** What expressions of admission may name besides the request and its objects. */
export interface AdmissionEnvironmentOptions {
  readonly params?: boolean;
  readonly authorizer?: boolean;
  /** The types of patches: `Object`, what is within it, and `JSONPatch`. */
  readonly patches?: boolean;
  /** Results of earlier expressions: `variables.name`. */
  readonly variables?: Readonly<Record<string, CelType>>;
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
  const { params, authorizer, patches = false, variables } = options;
  return kubernetesEnvironment(minorVersion, {
    variables: {
      object: dynType,
      oldObject: dynType,
      namespaceObject: objectType("kubernetes.Namespace"),
      request: objectType("kubernetes.AdmissionRequest"),
      ...(params && { params: dynType }),
      ...(authorizer && { authorizer: authorizerType, "authorizer.requestResource": resourceCheckType }),
      ...(variables && { variables: variablesType }),
    },
    provider: new AdmissionTypes({ patches, variables }),
    libraries: patches ? [jsonPatchLibrary] : [],
  });
}

class AdmissionTypes implements TypeProvider {
  readonly #patches: boolean;
  readonly #variables: Fields | undefined;

  constructor({ patches, variables }: { readonly patches: boolean; readonly variables: Fields | undefined }) {
    this.#patches = patches;
    this.#variables = variables;
  }

  findType(name: string): CelType | undefined {
    const isKnown = this.#isPatch(name) || this.#fieldsOf(name) !== undefined;
    return isKnown ? objectType(name) : undefined;
  }

  findField(typeName: string, name: string): FieldDeclaration | undefined {
    // Nothing is known of the object that a patch is for.
    if (this.#isPatch(typeName)) return { type: dynType };
    const fields = this.#fieldsOf(typeName);
    const type = fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
    return type && { type };
  }

  #isPatch(name: string): boolean {
    return this.#patches && (name === objectPatchType.name || name.startsWith(`${objectPatchType.name}.`));
  }

  #fieldsOf(name: string): Fields | undefined {
    if (name === variablesType.name) return this.#variables;
    if (name === jsonPatchType.name) return this.#patches ? patchFields : undefined;
    return Object.hasOwn(knownTypes, name) ? knownTypes[name] : undefined;
  }
}
