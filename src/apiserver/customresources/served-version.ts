import { ApiError, resource as resourceHandle } from "../../apimachinery/index.ts";
import { DecodeError, encodeBase64 } from "../../apimachinery/codec/index.ts";
import type {
  GroupResource,
  JsonObject,
  KubernetesObject,
  StructType,
  SubresourceFacts,
} from "../../apimachinery/index.ts";
import {
  coerceEmbedded,
  metadataType,
  prepareSchema,
  pruned,
  structOf,
  withDefaults,
  withoutNulls,
} from "../../api/index.ts";
import type { ResourceDefinition, SchemaNode } from "../../api/index.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "../../api/types/apiextensions-v1.ts";
import { sha256 } from "../../base/index.ts";
import type { RuleUse } from "../registry/context.ts";
import type { AnyObject } from "../registry/entry.ts";
import { deepEqual } from "../registry/equal.ts";
import { restamp, type ServedVersion } from "../registry/served.ts";
import { customColumns } from "./columns.ts";
import { jsonPath } from "./json-path.ts";
import { objectChecks } from "./object-checks.ts";

const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const partVerbs = ["get", "patch", "update"];

/** Objects as they are decoded: what their schema says of them is looked at later, in words of its own. */
class OpenStruct implements StructType {
  readonly kind = "struct";
  readonly name: string;
  readonly structType = "granular";
  readonly preserveUnknown = true;
  readonly fields: StructType["fields"];

  constructor(name: string, fields: StructType["fields"]) {
    this.name = name;
    this.fields = fields;
  }

  field(name: string) {
    return this.fields.find((field) => field.name === name);
  }
}

/** An object as its schema has it. */
export function shaped(object: AnyObject, node: SchemaNode): AnyObject {
  const known = coerceEmbedded(pruned(object, node), { node, path: undefined }, { drops: true });
  return withDefaults(known as AnyObject, node);
}

/**
 * A converted object without what its new version's schema does not know; that version's defaults are for those who
 * write it. Throws where embedded objects are none.
 */
export function knownTo(object: AnyObject, node: SchemaNode): AnyObject {
  const kept = withoutNulls(pruned(object, node), node);
  try {
    return coerceEmbedded(kept, { node, path: undefined }, { drops: false }) as AnyObject;
  } catch (error) {
    throw error instanceof DecodeError ? new ApiError({ message: error.message, code: 500 }) : error;
  }
}

/** A version of a custom resource, with the schema that its objects have. */
export interface CustomVersion {
  readonly version: ServedVersion;
  readonly node: SchemaNode;
}

/** What it takes to serve one version of what a definition defines. */
export function customVersion(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  { ruleUse }: { readonly ruleUse: RuleUse },
): CustomVersion {
  const { group, scope } = definition.spec;
  const {
    plural,
    singular = "",
    kind,
    shortNames = [],
    categories = [],
    listKind,
  } = definition.status.acceptedNames;
  const namespaced = scope === "Namespaced";
  const resource = resourceHandle<KubernetesObject>({
    group,
    version: version.name,
    kind,
    plural,
    namespaced,
  });
  const schema = version.schema?.openAPIV3Schema;
  const node = prepareSchema(schema);
  const metadata = metadataType();
  const { status, scale } = version.subresources ?? {};
  const rules = rulesOf(version, { node, ruleUse });
  const isLeaving = definition.metadata.deletionTimestamp !== undefined;
  const refuse = () => {
    throw notAllowed({ group, resource: plural });
  };
  const open = new OpenStruct(
    kind,
    structOf(prepareSchema({ type: "object" }), { name: kind, metadata }).fields,
  );
  // What was written under another schema may be otherwise than it is shown.
  const reshapes = (definition.metadata.generation ?? 1) > 1 || definition.spec.versions.length > 1;
  const remembered = remembering((object) => shaped(restamp(object, resource), node));
  const deprecationWarning = version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`;
  return {
    node,
    version: {
      resource,
      singular,
      shortNames,
      categories,
      verbs,
      subresources: subresourcesOf(kind, { status: status !== undefined, scale: scale !== undefined }),
      listKind: listKind ?? `${kind}List`,
      type: open,
      applyType: structOf(node, { name: kind, metadata }),
      versionHash: () => storageHash(definition),
      definition: { resource, ...rules, ...(isLeaving ? { prepareForCreate: refuse } : {}) },
      hasStatus: status !== undefined,
      scale: rules.scale,
      toStored: (object) => restamp(object, resource),
      fromStored: reshapes ? remembered : (object) => restamp(object, resource),
      ...(reshapes ? { reshapes: true as const } : {}),
      ...(schema ? { openApiSchema: schema as JsonObject } : {}),
      ...(version.deprecated ? { deprecationWarning } : {}),
    },
  };
}

/** Hash of the kind in the version that is stored: clients tell by it whether they see all of a resource. */
function storageHash({ spec, status }: CustomResourceDefinition): string {
  const stored = spec.versions.find(({ storage }) => storage)?.name ?? "";
  const hash = sha256(new TextEncoder().encode(`${spec.group}/${stored}/${status.acceptedNames.kind}`));
  return encodeBase64(hash.subarray(0, hashBytes));
}

/** As much of the hash as is shown. */
const hashBytes = 8;

function notAllowed(resource: GroupResource): ApiError {
  const { status } = ApiError.methodNotSupported(resource, "create");
  const message = "create not allowed while custom resource definition is terminating";
  return new ApiError({ ...status, message });
}

/** Makes each object once, however many ask for it. */
export function remembering(make: (object: AnyObject) => AnyObject): (object: AnyObject) => AnyObject {
  const made = new WeakMap<AnyObject, AnyObject>();
  return (object) => {
    const known = made.get(object) ?? make(object);
    made.set(object, known);
    return known;
  };
}

function subresourcesOf(
  kind: string,
  has: { readonly status: boolean; readonly scale: boolean },
): readonly SubresourceFacts[] {
  return [
    ...(has.status ? [{ name: "status", kind, verbs: partVerbs }] : []),
    ...(has.scale
      ? [{ name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: partVerbs }]
      : []),
  ];
}

function rulesOf(
  version: CustomResourceDefinitionVersion,
  { node, ruleUse }: { readonly node: SchemaNode; readonly ruleUse: RuleUse },
): Omit<ResourceDefinition, "resource"> {
  const { status, scale } = version.subresources ?? {};
  const fields = (version.selectableFields ?? []).map(({ jsonPath: path }) => {
    const find = jsonPath(path);
    return [path.replace(/^\./, ""), (object: KubernetesObject) => textOf(find?.(object)[0])] as const;
  });
  return {
    plainFinalizers: true,
    requiresVersion: true,
    tracksGeneration: true,
    columns: customColumns(version.additionalPrinterColumns),
    selectableFields: Object.fromEntries(fields),
    defaults: (object) => shaped(object as AnyObject, node),
    ...objectChecks(version, { node, ruleUse }),
    ...(status ? statusOfNew(version, node) : { prepareForUpdate: withGeneration }),
    ...(scale
      ? {
          scale: {
            specReplicas: scale.specReplicasPath,
            statusReplicas: scale.statusReplicasPath,
            selector: scale.labelSelectorPath ?? "",
            ofObject: true as const,
          },
        }
      : {}),
  };
}

/** A new object's status, which nobody can set with it, is the schema's default. */
function statusOfNew(
  { schema }: CustomResourceDefinitionVersion,
  node: SchemaNode,
): Pick<ResourceDefinition, "prepareForCreate"> {
  const standard = schema?.openAPIV3Schema?.properties?.["status"]?.default ?? undefined;
  return standard === undefined ? {} : { prepareForCreate: (object) => withDefaults(object, node) };
}

/** A value as selectors compare it. */
const textOf = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "");

/** Without a status of its own to report to, a status is part of what is wanted. */
function withGeneration(object: KubernetesObject, old: KubernetesObject): KubernetesObject {
  const intent = (each: KubernetesObject) => ({ ...each, metadata: undefined, apiVersion: undefined });
  if (deepEqual(intent(object), intent(old))) return object;
  const generation = (old.metadata.generation ?? 0) + 1;
  return { ...object, metadata: { ...object.metadata, generation } };
}
