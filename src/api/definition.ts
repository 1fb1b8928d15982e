import type { FieldError, KubernetesObject, Resource } from "../apimachinery/index.ts";
import type { UserInfo } from "./client.ts";

/** What an object's rules may know of the request. */
export interface RequestContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly operation: "create" | "update";
  /** The subresource written, if any: `status`, `scale`, … */
  readonly subresource?: string;
  /** Who asks; absent where no rule may depend on it. */
  readonly user?: UserInfo;
}

/** A column of `kubectl get`. */
export interface PrinterColumn<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** `name` marks the object's name. */
  readonly format?: string;
  readonly description: string;
  /** 0: always shown; more: only with `-o wide`. */
  readonly priority?: number;
  readonly value: (object: T, now: number) => string | number | boolean | null;
}

/**
 * What no table says of a kind; everything else comes from the facts. All functions are pure: objects are never
 * changed in place. Absent functions mean the general rule.
 */
export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>;
  /** Fills in defaults after those of the facts' markers; gets an object as decoded. */
  readonly defaults?: (object: T) => T;
  /** Brings parts that the type does not tell of into shape; throws a `DecodeError` where that cannot be done. */
  readonly coerce?: (object: T) => T;
  /** What strict validation says of fields that the object should not have, where its type does not tell. */
  readonly unknownFields?: (object: T) => readonly string[];
  /** What must hold of a whole object; it is checked on creation and on every update but that of `status`. */
  readonly validate?: (object: T, context: RequestContext) => readonly FieldError[];
  /** What must hold of a new object, besides; its errors follow those of the whole. */
  readonly validateCreate?: (object: T, context: RequestContext) => readonly FieldError[];
  /** What must hold of a change, besides. */
  readonly validateUpdate?: (object: T, old: T, context: RequestContext) => readonly FieldError[];
  /** What takes a while to tell, as of signatures: asked of a new object that nothing else is wrong with. */
  readonly verify?: (object: T) => Promise<readonly FieldError[]>;
  /** Upstream reports what is wrong with a change before what is wrong with the whole. */
  readonly updateErrorsFirst?: true;
  /** Resets what a client may not set, sets what the server sets; status is cleared by the general rule. */
  readonly prepareForCreate?: (object: T, context: RequestContext) => T;
  /** Keeps of the old object what a client may not change; status and generation are kept by the general rule. */
  readonly prepareForUpdate?: (object: T, old: T, context: RequestContext) => T;
  /** What an update of `status` takes over besides status. */
  readonly prepareForStatusUpdate?: (object: T, old: T, context: RequestContext) => T;
  /** Warnings sent with the answer. */
  readonly warnings?: (object: T, old: T | undefined) => readonly string[];
  /** Warnings of what an update of the status reports. */
  readonly statusWarnings?: (object: T) => readonly string[];
  readonly columns?: readonly PrinterColumn<T>[];
  /** The order of the rows that show a list; default: that of the list. */
  readonly rowOrder?: (one: T, other: T) => number;
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Why objects cannot be selected by a field, where the kind has words of its own for it. */
  readonly unknownField?: (field: string) => string;
  /** What is said of a name that no object has, where the kind has words of its own for it. */
  readonly unknownName?: (name: string) => string;
  /** Dotted paths of the scale subresource. */
  readonly scale?: {
    readonly specReplicas: string;
    readonly statusReplicas: string;
    readonly selector: string;
    /** What is not found where there is no object, if that is not the resource itself. */
    readonly missing?: { readonly group: string; readonly resource: string };
    /** Replicas are what the object says, if anything, and are checked as part of it. */
    readonly ofObject?: true;
  };
  /** Which name a generic name check demands; default: DNS subdomain. */
  readonly nameRule?: "subdomain" | "label" | "rfc1035label" | "path" | "none";
  /** Finalizers may be names without a domain: the kind's rules are those of API machinery alone. */
  readonly plainFinalizers?: true;
  /**
   * The checks of metadata that an update of the kind repeats after those that all updates share, and whose errors
   * are reported again: those of a change (the default) or those of a whole object.
   */
  readonly repeatedMetadataChecks?: readonly ("change" | "whole")[];
  /** An update checks the object as a whole twice over, and reports what is wrong with it as often. */
  readonly repeatsChecks?: true;
  /** A spec change raises metadata.generation; default: true when the kind has spec and status. */
  readonly tracksGeneration?: boolean;
  /** A new object may bring its status: nodes, for example. Default: status is cleared. */
  readonly keepsStatusOnCreate?: true;
  /** A spec that many objects have alike, as those that are made of one template: it is held once. */
  readonly sharesSpec?: true;
  /** How long objects live; for events. Milliseconds. */
  readonly timeToLive?: number;
  /** Seconds a delete without grace period leaves before the object goes; absent: it goes at once. */
  readonly gracePeriodSeconds?: (object: T, requested: number | undefined) => number;
  /** Finalizers that every new object gets. */
  readonly defaultFinalizers?: readonly string[];
  /** An object lies within itself, as namespaces do: who may do something within one may do it to the one. */
  readonly isItsOwnNamespace?: true;
  /** A new object without any name gets a random one. */
  readonly namesItself?: true;
  /** A PUT to a name that is not there creates it. */
  readonly createsOnUpdate?: true;
  /** An update must say which version it replaces. */
  readonly requiresVersion?: true;
  /** Dependents stay when a delete does not say what becomes of them. */
  readonly orphansByDefault?: true;
  /** Told when a delete does not say what becomes of dependents. */
  readonly deletionWarning?: string;
  /** Nothing depends on objects of the kind: what a delete says of dependents is passed over. */
  readonly hasNoDependents?: true;
  /** Annotations that stand for fields which the version lacks: metadata alone is told without them. */
  readonly fieldAnnotations?: readonly string[];
  /** A delete answers the deleted object rather than a Status. */
  readonly returnsDeleted?: true;
  /** Whether something besides the finalizers of metadata holds back the removal of an object being deleted. */
  readonly isHeld?: (object: T) => boolean;
  /** What else changes in an object that has been marked as being deleted. */
  readonly prepareForDeletion?: (object: T) => T;
}

export function defineResource<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
): ResourceDefinition<T> {
  return Object.freeze(definition);
}
