import { ApiError, FieldPath, apiVersionOf, fieldErrors, versionNamed } from "../../apimachinery/index.ts";
import type { GroupVersionKind, StructType } from "../../apimachinery/index.ts";
import { schemas } from "../../api/index.ts";
import type { ServedResource } from "./served.ts";

/** As what an object is read. */
export interface Recognized {
  readonly kind: GroupVersionKind;
  readonly type: StructType;
  /** Why it is not the object that is wanted, once it has been read. */
  readonly refusal?: ApiError;
}

/** The kind that is wanted. */
export type Wanted = Pick<ServedResource, "resource" | "apiVersion" | "type"> & {
  /** Former versions of the kind, of the same form. */
  readonly accepts?: readonly string[];
};

/** A kind whose objects are sent to a subresource; undefined when nothing is known of it. */
export function subresourceKind(
  served: ServedResource,
  names: GroupVersionKind,
): (Wanted & Pick<ServedResource, "definition">) | undefined {
  const type = schemas.typeOf(names);
  return (
    type && {
      resource: { ...served.resource, ...names },
      apiVersion: apiVersionOf(names),
      type,
      definition: { resource: served.resource },
    }
  );
}

/** The kind that an object says it is; where it says nothing, the one that is wanted. Throws `BadRequest`. */
export function recognize(wanted: Wanted, value: unknown): Recognized {
  const { group, version, kind } = wanted.resource;
  const own = { kind: { group, version, kind }, type: wanted.type };
  if (typeof value !== "object" || value === null) return own;
  const said = value as { readonly kind?: string | null; readonly apiVersion?: string | null };
  const named = { ...versionNamed(said.apiVersion || wanted.apiVersion), kind: said.kind || kind };
  const apiVersion = apiVersionOf(named);
  if (named.kind === kind && (apiVersion === wanted.apiVersion || wanted.accepts?.includes(apiVersion)))
    return own;
  const custom = schemas.typeOf(own.kind) === undefined;
  const mismatch = () => otherVersion(apiVersion, wanted.apiVersion);
  if (custom) {
    if (apiVersion !== wanted.apiVersion) throw mismatch();
    const { metadata } = value as { readonly metadata?: { readonly name?: string } };
    const found = { kind: named.kind, apiVersion, name: metadata?.name ?? "" };
    return { ...own, refusal: otherCustomKind(wanted, found) };
  }
  const type = schemas.typeOf(named);
  if (type === undefined) {
    if (isFormer(named, own.kind)) throw mismatch();
    throw ApiError.badRequest(cannotBe(named, { wanted: kind, problem: unregistered(named) }));
  }
  const problem = conversion(named, own.kind);
  const refusal =
    named.kind === kind ? mismatch() : ApiError.badRequest(cannotBe(named, { wanted: kind, problem }));
  return { kind: named, type, refusal };
}

/** Custom resources must say what they are: nothing is taken for granted. Throws `BadRequest`. */
export function requireNames({ resource, apiVersion }: Wanted, value: unknown): void {
  if (schemas.typeOf(resource) !== undefined) return;
  const said = (value ?? {}) as { readonly kind?: string | null; readonly apiVersion?: string | null };
  if (!said.kind) {
    const problem = `Object 'Kind' is missing in '${JSON.stringify(value)}'`;
    throw ApiError.badRequest(cannotBe(resource, { wanted: resource.kind, problem }));
  }
  if (!said.apiVersion) throw otherVersion("", apiVersion);
}

const otherVersion = (found: string, wanted: string): ApiError =>
  ApiError.badRequest(
    `the API version in the data (${found}) does not match the expected API version (${wanted})`,
  );

/** What is wrong with a custom resource that is of another kind, or of another version. */
export function otherCustomKind(
  { resource, apiVersion }: Pick<Wanted, "resource" | "apiVersion">,
  found: { readonly kind: string; readonly apiVersion: string; readonly name: string },
): ApiError {
  const errors = (["kind", "apiVersion"] as const).flatMap((field) => {
    const wanted = field === "kind" ? resource.kind : apiVersion;
    const at = FieldPath.root(field);
    return found[field] === wanted ? [] : [fieldErrors.invalid(at, found[field], `must be ${wanted}`)];
  });
  return ApiError.invalid({ group: resource.group, kind: found.kind }, found.name, errors);
}

/** Why an object of one kind is none of another. */
export const cannotBe = (
  { kind, version }: GroupVersionKind,
  { wanted, problem }: { readonly wanted: string; readonly problem: string },
): string => `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${wanted}: ${problem}`;

/** Upstream still knows versions of built-in kinds that it no longer serves. */
function isFormer(named: GroupVersionKind, wanted: GroupVersionKind): boolean {
  if (named.kind !== wanted.kind) return false;
  if (named.group === wanted.group) return /^v\d+(?:alpha|beta)\d+$/.test(named.version);
  return named.group === "extensions" && named.version === "v1beta1" && extended.has(wanted.group);
}

/** Groups whose kinds were in `extensions` once. */
const extended: ReadonlySet<string> = new Set(["apps", "networking.k8s.io"]);

/** What upstream says of a kind that it does not know. */
export const unregistered = (kind: GroupVersionKind): string =>
  `no kind ${JSON.stringify(kind.kind)} is registered for version ${JSON.stringify(apiVersionOf(kind))} in scheme "pkg/api/legacyscheme/scheme.go:30"`;

/** What upstream says of a kind that is none of the wanted one's versions. */
const conversion = (named: GroupVersionKind, wanted: GroupVersionKind): string =>
  `converting (${named.version}.${named.kind}) to (${internalPackage(wanted.group)}.${wanted.kind}): unknown conversion`;

/** Groups whose internal Go package is not called as they are. */
const internalPackages: Readonly<Record<string, string>> = {
  "": "core",
  "events.k8s.io": "core",
  "internal.apiserver.k8s.io": "apiserverinternal",
};

/** The Go package of a group's internal kinds. */
export const internalPackage = (group: string): string =>
  internalPackages[group] ?? group.split(".")[0] ?? "";
