import { DecodeError, decodeValue } from "../../apimachinery/codec/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import {
  applyPatch,
  objectText,
  specFields,
  statusFields,
  updateManagedFields,
} from "../../apimachinery/apply/index.ts";
import type { Convert } from "../../apimachinery/apply/index.ts";
import type { JsonObject, ManagedFieldsEntry, ObjectMeta } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { completed } from "./coding.ts";
import { asConversion, decodeChanged } from "./patched.ts";
import type { Core, RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { whenConverted, type Identify } from "./remote-conversion.ts";
import type { ServedResource, ServedTable } from "./served.ts";

interface ManagedWrite {
  readonly object: AnyObject;
  readonly old: AnyObject | undefined;
  readonly now: number;
  readonly request: Pick<RequestOptions, "fieldManager" | "user"> & { readonly subresource?: string };
}

/** The object with its managedFields as a write leaves them; a promise only where a webhook converts. */
export function manageWrite(
  core: Pick<Core, "served" | "logger">,
  served: ServedResource,
  write: ManagedWrite,
): AnyObject | Promise<AnyObject> {
  const managed = whenConverted(served, (identify) =>
    manageUpdate(served, { table: core.served, identify, ...write }),
  );
  if (!(managed instanceof Promise)) return managed;
  return managed.catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    // Whoever only updates is not held up by managers of other versions: upstream forgets all of them.
    core.logger.error("The managers of an object's fields could not be told", { error });
    return withManagedFields(write.object, undefined);
  });
}

/** The object with its managedFields as this write leaves them. */
export function manageUpdate(
  served: ServedResource,
  write: ManagedWrite & { readonly table: ServedTable; readonly identify?: Identify | undefined },
): AnyObject {
  const { object, old, now, request } = write;
  const { subresource = "" } = request;
  const managedFields = updateManagedFields({
    old: old && json(old),
    object: json(object),
    type: served.applyType ?? served.type,
    manager: request.fieldManager ?? managerOf(request.user),
    apiVersion: served.apiVersion,
    subresource,
    now,
    convert: converterOf(served, write),
    resetFields: resetFieldsOf(served, subresource),
  });
  return withManagedFields(object, managedFields);
}

function withManagedFields(
  object: AnyObject,
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): AnyObject {
  if (managedFields === object.metadata.managedFields) return object;
  const { managedFields: _, ...rest } = object.metadata;
  const metadata: ObjectMeta = managedFields?.length ? { ...rest, managedFields } : rest;
  return { ...object, metadata };
}

/** Managers of other versions own fields of those versions: what changed is seen as of each. */
function converterOf(
  served: ServedResource,
  { table, identify }: { readonly table: ServedTable; readonly identify?: Identify | undefined },
): Convert {
  const { group, plural } = served.resource;
  const versionOf = (apiVersion: unknown): ServedResource | undefined => {
    if (apiVersion === served.apiVersion) return served;
    const parts = String(apiVersion).split("/");
    const version = parts.pop() ?? "";
    return (parts[0] ?? "") === group ? table.find(group, version, plural) : undefined;
  };
  return (object, apiVersion) => {
    const [from, to] = [versionOf(object["apiVersion"]), versionOf(apiVersion)];
    if (from === undefined || to === undefined) return undefined;
    // What is pruned may lack what conversion reads: upstream's structs have zero values there.
    const whole = decodeValue(object, from.type).object as AnyObject;
    const { remote } = served;
    if (remote && identify) {
      const known = identify(whole);
      return { object: json(remote.as(known, to.apiVersion)), type: to.applyType ?? to.type };
    }
    return { object: json(to.fromStored(from.toStored(whole))), type: to.applyType ?? to.type };
  };
}

/** What writes of the resource itself, or of its status, leave alone and so do not own. */
function resetFieldsOf(served: ServedResource, subresource: string): JsonObject | undefined {
  if (!served.hasStatus) return undefined;
  if (subresource === "") return statusFields;
  return subresource === "status" ? specFields : undefined;
}

const controllerAccounts = "system:serviceaccount:kube-system:";
const nodes = "system:node:";
const server = "system:apiserver";

/** Components in the server's process name no manager: they are known as upstream's programs are. */
function managerOf(user: UserInfo): string {
  if (user.name.startsWith(controllerAccounts)) return "kube-controller-manager";
  if (user.name.startsWith(nodes)) return "kubelet";
  if (user.name === server) return "kube-apiserver";
  return user.name.replace(/^system:/, "");
}

/** The object after a server-side apply of `config`, with its managers. */
export function applyObject(
  served: ServedResource,
  write: {
    readonly old: AnyObject | undefined;
    readonly config: object;
    readonly force: boolean;
    readonly now: number;
    readonly table: ServedTable;
    readonly subresource: string;
    readonly request: RequestOptions;
    readonly identify: Identify | undefined;
  },
): AnyObject {
  const { old, subresource, request } = write;
  const { object, managedFields } = applyPatch({
    live: old && json(old),
    applied: write.config as JsonObject,
    type: served.applyType ?? served.type,
    manager: request.fieldManager ?? managerOf(request.user),
    force: write.force,
    apiVersion: served.apiVersion,
    kind: served.resource.kind,
    subresource,
    now: write.now,
    convert: converterOf(served, write),
    resetFields: resetFieldsOf(served, subresource),
  });
  if (old && object === json(old)) return old;
  return withManagedFields(converted(served, object, write), managedFields);
}

/** The merged object with zero values and defaults settled. What apply cannot know, such as a bad quantity, shows here. */
function converted(
  served: ServedResource,
  object: JsonObject,
  { old, config }: { readonly old: AnyObject | undefined; readonly config: object },
): AnyObject {
  const { type } = served;
  try {
    const options = { type, strict: false, wraps: true } as const;
    return completed(served, decodeChanged(object, old && json(old), options).object);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { group, version, kind } = served.resource;
    const why = `unable to convert unstructured object to ${group}/${version}, Kind=${kind}: ${asConversion(error.message)}`;
    const message = `failed to convert new object (${objectText(config as JsonObject)}) to proper version: ${why}`;
    throw new ApiError({ message, code: 500 });
  }
}

/** Objects of the API are JSON; their types only say more. */
function json(object: AnyObject): JsonObject {
  return object as unknown as JsonObject;
}
