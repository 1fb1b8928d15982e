import { apiVersionOf, versionNamed } from "../../apimachinery/index.ts";
import type { GroupVersionKind, Resource, ResourceFacts, SchemaRegistry } from "../../apimachinery/index.ts";
import {
  DecodeError,
  decodeProtobuf,
  encodeProtobuf,
  hasProtobuf,
  isProtobuf,
} from "../../apimachinery/codec/index.ts";
import type { ResourceDefinition } from "../../api/index.ts";
import type { Logger } from "../../base/index.ts";
import { completed } from "./coding.ts";
import { decodedOf, encodeObject } from "./entry.ts";
import type { AnyObject } from "./entry.ts";
import { restamp } from "./served.ts";
import { isStoredAsText } from "./storage-path.ts";
import { withoutMark } from "./unique-values.ts";

/** How objects are written to the store, as upstream's `--storage-media-type` names it. */
export type StorageMediaType = "application/json" | "application/vnd.kubernetes.protobuf";

/** What the built-in kinds are stored as. */
export interface StoredKinds {
  readonly facts: readonly ResourceFacts[];
  readonly schemas: SchemaRegistry;
  readonly storageVersionOf: (resource: Resource) => Resource;
  readonly definitionOf: (resource: Resource) => ResourceDefinition;
  readonly convert: (object: AnyObject, from: Resource, to: Resource) => AnyObject;
}

/** Values of a store to and from the JSON that caches hold. */
export interface StoredForm {
  /** Undefined where JSON is what is stored. */
  readonly encode: ((json: Uint8Array) => Uint8Array) | undefined;
  /** Undefined for what cannot be read, of which the log says why. */
  decode(key: string, value: Uint8Array): Uint8Array | undefined;
}

/**
 * A version that is not known here, older or newer, has the fields of those that are, by number; of the versions that
 * upstream has dropped these alone differ.
 */
const otherLayouts: ReadonlySet<string> = new Set([
  "networking.k8s.io/v1beta1/Ingress",
  "autoscaling/v2beta1/HorizontalPodAutoscaler",
  "node.k8s.io/v1alpha1/RuntimeClass",
]);

const hasOtherLayout = ({ group, version, kind }: GroupVersionKind) =>
  group === "resource.k8s.io" || otherLayouts.has(`${group}/${version}/${kind}`);

/**
 * The form of built-in kinds in the store. Whichever is written, both are read, and versions that another server
 * stores are turned into those that this one does.
 */
export function createStoredForm(
  kinds: StoredKinds,
  options: {
    readonly mediaType: StorageMediaType;
    readonly logger: Logger;
    /** Makes values unique, for stores whose answers may get lost. */
    readonly mark: ((value: Uint8Array) => Uint8Array) | undefined;
  },
): StoredForm {
  const { mediaType, logger, mark } = options;
  const served = new Map<string, Resource>();
  const stored = new Map<string, Resource>();
  for (const { group, version, kind, plural, namespaced } of kinds.facts) {
    const resource: Resource = { group, version, kind, plural, namespaced };
    served.set(`${group}/${version}/${kind}`, resource);
    stored.set(`${group}/${kind}`, kinds.storageVersionOf(resource));
  }
  const typeOf = (named: GroupVersionKind) => {
    const known = kinds.schemas.typeOf(named);
    if (known || hasOtherLayout(named)) return known;
    const other = stored.get(`${named.group}/${named.kind}`);
    return other && kinds.schemas.typeOf(other);
  };
  const inStoredVersion = (object: AnyObject): AnyObject => {
    const { group, version } = versionNamed(object.apiVersion ?? "");
    const to = stored.get(`${group}/${object.kind}`);
    if (!to || (to.group === group && to.version === version)) return object;
    const from = served.get(`${group}/${version}/${object.kind}`);
    return from ? kinds.convert(object, from, to) : restamp(object, to);
  };
  // What a server of another version wrote lacks the defaults of this one; upstream too completes what it reads.
  const withDefaults = (object: AnyObject): AnyObject => {
    const { group } = versionNamed(object.apiVersion ?? "");
    const resource = stored.get(`${group}/${object.kind}`);
    const type = resource && kinds.schemas.typeOf(resource);
    if (!type) return object;
    const definition = kinds.definitionOf(resource);
    return completed({ resource, apiVersion: apiVersionOf(resource), type, definition }, object);
  };
  const encode =
    mediaType === "application/json" ? undefined : (json: Uint8Array) => toProtobuf(json, kinds.schemas);
  return {
    encode: mark ? (json) => mark(encode?.(json) ?? json) : encode,
    decode(key, value) {
      if (!isProtobuf(value)) return withoutMark(value);
      try {
        return encodeObject(withDefaults(inStoredVersion(decodeProtobuf(value, { typeOf }) as AnyObject)));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        logger.error("An object in the store cannot be read and is left out", { key, error: error.message });
        return undefined;
      }
    },
  };
}

/** Custom resources, and what upstream keeps as text, stay JSON. */
function toProtobuf(json: Uint8Array, schemas: SchemaRegistry): Uint8Array {
  const object = decodedOf(json);
  const { kind = "", apiVersion = "" } = object;
  const named = versionNamed(apiVersion);
  if (isStoredAsText(named.group)) return json;
  const type = schemas.typeOf({ ...named, kind });
  return type && hasProtobuf(type) ? encodeProtobuf(object, type) : json;
}
