import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";

/** The pod; throws `NotFound`. */
export function podOf(reader: ObjectReader, key: ObjectKey): Pod {
  const pod = reader.get(Pod, key);
  if (!pod) throw ApiError.notFound({ group: "", resource: "pods" }, key.name);
  return pod;
}

/** The container that a request means: the named, or the only one; throws `BadRequest`. */
export function containerOf({ metadata, spec }: Pod, name: string): string {
  const names = (list: readonly { readonly name: string }[] | undefined) =>
    (list ?? []).map((container) => container.name);
  const containers = names(spec.containers);
  const initContainers = names(spec.initContainers);
  if (name !== "") {
    if ([...containers, ...initContainers, ...names(spec.ephemeralContainers)].includes(name)) return name;
    throw ApiError.badRequest(`container ${name} is not valid for pod ${metadata.name}`);
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only;
  let message = `a container name must be specified for pod ${metadata.name}`;
  if (containers.length > 0) message += `, choose one of: [${containers.join(" ")}]`;
  if (initContainers.length > 0) message += ` or one of the init containers: [${initContainers.join(" ")}]`;
  throw ApiError.badRequest(message);
}

/** The pod's node; throws `BadRequest` when it has none yet. */
export function nodeOf({ metadata, spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName;
  throw ApiError.badRequest(`pod ${metadata.name} does not have a host assigned`);
}
