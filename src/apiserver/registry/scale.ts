import { ApiError, fieldErrors, FieldPath, goQuote, validateObjectMeta } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { groupResource } from "./context.ts";
import type { Core, RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { get as presentOf } from "./read.ts";
import type { ServedResource } from "./served.ts";
import { checkNames, modify } from "./update.ts";

/** The kind of Scales. */
export const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" } as const;

/** The Scale of an object; a promise only where a webhook converts. */
export function getScale(served: ServedResource, key: ObjectKey): AnyObject | Promise<AnyObject> {
  const { object } = get(served, key);
  const converting = served.remote?.untilShown([object], { anew: true });
  const show = () => {
    const shown = served.fromStored(object);
    if (lacksReplicas(served, shown)) {
      const path = goQuote(pathOf(served).specReplicas);
      throw ApiError.internal(`the spec replicas field ${path} does not exist`);
    }
    return scaleOf(served, shown);
  };
  return converting ? converting.then(show) : show();
}

/** Sets the replicas that a Scale asks for; answers the Scale as it is then. */
export async function updateScale(
  core: Core,
  served: ServedResource,
  request: RequestOptions & {
    readonly key: ObjectKey;
    /** The new Scale, or what makes it of the present one. */
    readonly scale: AnyObject | ((present: AnyObject) => AnyObject);
  },
): Promise<AnyObject> {
  const { key, scale } = request;
  const given = typeof scale === "function" ? undefined : scale;
  if (given) checkNames(served, given, key);
  const written = await modify(core, served, request, {
    key,
    subresource: "scale",
    versionGiven: Boolean(given?.metadata.resourceVersion),
    createsMissing: false,
    ...(given ? { replaces: true as const } : {}),
    change(old) {
      if (!old) throw ApiError.notFound(groupResource(served), key.name);
      const present = scaleOf(served, old);
      const isUnset = lacksReplicas(served, old);
      const shown = isUnset ? { ...present, spec: { replicas: unsetReplicas } } : present;
      const wanted = given ?? (scale as (present: AnyObject) => AnyObject)(shown);
      const replicas = (wanted["spec"] as { readonly replicas?: number } | undefined)?.replicas ?? 0;
      if (replicas === unsetReplicas && isUnset) {
        const path = goQuote(pathOf(served).specReplicas);
        throw ApiError.badRequest(`the spec replicas field ${path} cannot be empty`);
      }
      const { namespace = "" } = key;
      if (!pathOf(served).ofObject) {
        checkScale(served, { metadata: { ...wanted.metadata, namespace }, replicas });
      }
      if (!given) checkIdentity(served, wanted, old);
      const { uid, resourceVersion } = wanted.metadata;
      const metadata = {
        ...old.metadata,
        uid: uid || old.metadata.uid,
        resourceVersion: resourceVersion || old.metadata.resourceVersion,
      };
      return withReplicas(served, { ...old, metadata }, replicas);
    },
  });
  return scaleOf(served, written.object);
}

/** What a patch finds where an object says nothing of its replicas. */
const unsetReplicas = -(2 ** 31);

const lacksReplicas = (served: ServedResource, object: AnyObject): boolean => {
  const { ofObject, specReplicas } = pathOf(served);
  return ofObject === true && at(object, specReplicas) === undefined;
};

/** The entry of an object that is scaled; what is missing may have a name of its own. */
function get(served: ServedResource, key: ObjectKey): ReturnType<typeof presentOf> {
  try {
    return presentOf(served, key);
  } catch (error) {
    const missing = served.definition.scale?.missing;
    throw missing && ApiError.is(error, "NotFound") ? ApiError.notFound(missing, key.name) : error;
  }
}

function checkScale(
  { resource }: ServedResource,
  { metadata, replicas }: { metadata: AnyObject["metadata"]; replicas: number },
): void {
  const path = FieldPath.root("spec").child("replicas");
  const errors = [
    ...validateObjectMeta(metadata, { namespaced: resource.namespaced, nameRule: "subdomain" }),
    ...(replicas < 0 ? [fieldErrors.invalid(path, replicas, "must be greater than or equal to 0")] : []),
  ];
  if (errors.length === 0) return;
  throw ApiError.invalid({ group: "autoscaling", kind: "Scale" }, metadata.name, errors);
}

/** A patched scale must be of the object that is there; upstream's storage says it of one that is replaced. */
function checkIdentity(served: ServedResource, { metadata }: AnyObject, old: AnyObject): void {
  if (!metadata.uid || metadata.uid === old.metadata.uid) return;
  const { group, resource } = groupResource(served);
  throw ApiError.conflict(
    { group, resource: `${resource}/scale` },
    old.metadata.name,
    `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
  );
}

function pathOf(served: ServedResource): NonNullable<ServedResource["scale"]> {
  if (!served.scale) throw ApiError.notFound(groupResource(served), "scale");
  return served.scale;
}

/** The value at a dotted path. */
function at(object: unknown, path: string): unknown {
  let value = object;
  for (const name of path.split(".").filter(Boolean)) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  }
  return value;
}

function withPath(object: AnyObject, path: string, value: unknown): AnyObject {
  const set = (target: unknown, [name, ...rest]: readonly string[]): unknown => {
    if (name === undefined) return value;
    const fields = (target ?? {}) as Readonly<Record<string, unknown>>;
    return { ...fields, [name]: set(fields[name], rest) };
  };
  return set(object, path.split(".").filter(Boolean)) as AnyObject;
}

/** The object with the replicas that its Scale has; the same object when it has none. */
export function withReplicas(
  served: ServedResource,
  object: AnyObject,
  replicas: number | undefined,
): AnyObject {
  return replicas === undefined ? object : withPath(object, pathOf(served).specReplicas, replicas);
}

/** The Scale that an object shows. */
export function scaleOf(served: ServedResource, object: AnyObject): AnyObject {
  const paths = pathOf(served);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector === "" ? "" : selectorText(at(object, paths.selector));
  const replicas = at(object, paths.specReplicas) ?? 0;
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: at(object, paths.statusReplicas) ?? 0, ...(selector ? { selector } : {}) },
  };
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** A selector of any form as text: already text, a map of labels, or a LabelSelector. */
function selectorText(selector: unknown): string {
  if (typeof selector === "string") return selector;
  if (typeof selector !== "object" || selector === null) return "";
  const { matchLabels, matchExpressions } = selector as {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly Requirement[];
  };
  const structured = matchLabels !== undefined || matchExpressions !== undefined;
  const labels = structured ? (matchLabels ?? {}) : (selector as Readonly<Record<string, string>>);
  const parts = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    const set = `(${[...values].sort().join(",")})`;
    const text =
      operator === "In"
        ? `${key} in ${set}`
        : operator === "NotIn"
          ? `${key} notin ${set}`
          : operator === "Exists"
            ? key
            : `!${key}`;
    parts.push({ key, text });
  }
  parts.sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
  return parts.map(({ text }) => text).join(",");
}
