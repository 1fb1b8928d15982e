import type { ServedResource } from "./served.ts";
import type { AnyObject } from "./entry.ts";

/**
 * What an update of a subresource changes: the rest stays as it is. `status` takes over status and metadata;
 * `finalize` metadata and the finalizers of the spec; other parts of a spec are named by the table below.
 */
export function subresourceUpdate(
  served: ServedResource,
  change: { readonly object: AnyObject; readonly old: AnyObject; readonly subresource: string },
): AnyObject {
  const { object, old, subresource } = change;
  if (subresource === "") return object;
  if (subresource === "status") return statusOnly(served, object, old);
  const fields = specFields[subresource];
  if (fields === undefined) return object;
  if (fields === "conditions") return conditionsOnly(object, old);
  const spec = { ...(old["spec"] as Record<string, unknown> | undefined) };
  const wanted = (object["spec"] ?? {}) as Record<string, unknown>;
  for (const field of fields) {
    if (wanted[field] === undefined) delete spec[field];
    else spec[field] = wanted[field];
  }
  const metadata = subresource === "finalize" ? object.metadata : named(old, object);
  return { ...old, metadata, spec };
}

/** Fields of the spec that a subresource writes; `conditions` where it writes those of the status. */
const specFields: Readonly<Record<string, readonly string[] | "conditions">> = {
  finalize: ["finalizers"],
  ephemeralcontainers: ["ephemeralContainers"],
  resize: ["containers", "initContainers", "resources"],
  approval: "conditions",
};

function conditionsOnly(object: AnyObject, old: AnyObject): AnyObject {
  const { conditions: _, ...rest } = (old["status"] ?? {}) as Record<string, unknown>;
  const { conditions } = (object["status"] ?? {}) as Record<string, unknown>;
  const status = conditions === undefined ? rest : { ...rest, conditions };
  return { ...old, metadata: object.metadata, status };
}

function statusOnly(served: ServedResource, object: AnyObject, old: AnyObject): AnyObject {
  const metadata = served.custom
    ? named(old, object)
    : {
        ...object.metadata,
        ...(old.metadata.labels ? { labels: object.metadata.labels ?? old.metadata.labels } : {}),
      };
  const status = object["status"];
  if (status !== undefined) return { ...old, metadata, status };
  const { status: _, ...rest } = old;
  return { ...rest, metadata };
}

/** The old metadata, but with the version and managers that the client sent. */
function named(old: AnyObject, object: AnyObject): AnyObject["metadata"] {
  const { resourceVersion, managedFields } = object.metadata;
  return {
    ...old.metadata,
    resourceVersion,
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}
