import { posix } from "node:path";
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Secret,
  ServiceAccountTokenProjection,
} from "../../api/types/core-v1.ts";
import { ServiceAccount } from "../../api/types/core-v1.ts";
import type { TokenRequest } from "../../api/types/authentication-v1.ts";
import { fieldValue, resourceFieldValue } from "../environment/downward.ts";
import type { Payload, ProjectedFile } from "./atomic-writer.ts";
import type { VolumeContext } from "./volume-plugin.ts";

/** How a volume selects and protects what it shows. */
export interface Projection {
  readonly items?: readonly KeyToPath[] | undefined;
  readonly mode: number;
  readonly optional?: boolean | undefined;
}

export const defaultMode = 0o644;

/** Files of a ConfigMap. */
export async function configMapPayload(
  name: string,
  options: Projection & { readonly context: VolumeContext },
): Promise<Payload> {
  const configMap = await options.context.objects.configMap(name);
  if (!configMap) {
    if (options.optional) return new Map();
    throw new Error(`configmap ${JSON.stringify(name)} not found`);
  }
  return selected(configMapContents(configMap), { ...options, what: "configmap" });
}

/** Files of a Secret. */
export async function secretPayload(
  name: string,
  options: Projection & { readonly context: VolumeContext },
): Promise<Payload> {
  const secret = await options.context.objects.secret(name);
  if (!secret) {
    if (options.optional) return new Map();
    throw new Error(`secret ${JSON.stringify(name)} not found`);
  }
  return selected(secretContents(secret), { ...options, what: "secret" });
}

function configMapContents(configMap: ConfigMap): ReadonlyMap<string, Uint8Array> {
  const text = Object.entries(configMap.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(configMap.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, "base64")] as const,
  );
  return new Map([...text, ...binary]);
}

const secretContents = (secret: Secret) =>
  new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));

function selected(
  contents: ReadonlyMap<string, Uint8Array>,
  options: Projection & { readonly what: string },
): Payload {
  if (options.items === undefined)
    return new Map([...contents].map(([key, content]) => [key, { content, mode: options.mode }]));
  const files = new Map<string, ProjectedFile>();
  for (const { key, path, mode } of options.items) {
    const content = contents.get(key);
    if (content === undefined) {
      if (options.optional) continue;
      throw new Error(
        `${options.what} references non-existent ${options.what === "secret" ? "secret" : "config"} key: ${key}`,
      );
    }
    files.set(posix.normalize(path), { content, mode: mode ?? options.mode });
  }
  return files;
}

/** Files that show the pod itself. */
export function downwardPayload(
  items: readonly DownwardAPIVolumeFile[],
  options: { readonly mode: number; readonly context: VolumeContext },
): Payload {
  const { downward, pod } = options.context;
  const files = new Map<string, ProjectedFile>();
  for (const item of items) {
    let text = "";
    if (item.fieldRef) text = fieldValue(item.fieldRef.fieldPath, downward);
    else if (item.resourceFieldRef) {
      const { containerName } = item.resourceFieldRef;
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const container = all.find(({ name }) => name === containerName);
      if (!container) throw new Error(`container ${containerName} not found`);
      text = resourceFieldValue(item.resourceFieldRef, { container, allocatable: downward.allocatable });
    }
    files.set(posix.normalize(item.path), { content: Buffer.from(text), mode: item.mode ?? options.mode });
  }
  return files;
}

const defaultTokenSeconds = 3600;
/** Tokens are replaced when this part of their life is over, and at least daily. */
const refreshPart = 0.8;
const longestUse = 24 * 3600 * 1000;
const tokenMode = 0o600;

/** A token of the pod's service account, bound to the pod. */
export async function tokenPayload(
  source: ServiceAccountTokenProjection,
  options: { readonly mode: number; readonly context: VolumeContext },
): Promise<Payload> {
  const { user, group } = ownerOf(options.context);
  const token = await freshToken(source, options.context);
  const mode = user !== undefined || group !== undefined ? tokenMode : options.mode;
  return new Map([[posix.normalize(source.path), { content: Buffer.from(token), mode, user }]]);
}

/** The one user that all containers run as, and the pod's file system group. */
function ownerOf({ pod }: VolumeContext): { user: number | undefined; group: number | undefined } {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const users = new Set(
    all.map(({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser),
  );
  return { user: users.size === 1 ? [...users][0] : undefined, group: pod.spec.securityContext?.fsGroup };
}

async function freshToken(source: ServiceAccountTokenProjection, context: VolumeContext): Promise<string> {
  const { pod, tokens, clock } = context;
  const cacheKey = JSON.stringify([source.audience ?? "", source.expirationSeconds ?? defaultTokenSeconds]);
  const known = tokens.get(cacheKey);
  if (known && clock.now() < known.refreshAt) return known.token;
  const { name, namespace, uid } = pod.metadata;
  const key = { namespace, name: pod.spec.serviceAccountName || "default" };
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    metadata: {},
    spec: {
      audiences: source.audience ? [source.audience] : [],
      expirationSeconds: source.expirationSeconds ?? defaultTokenSeconds,
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    },
  };
  const asked = clock.now();
  const answer = await context.client.post<ServiceAccount, TokenRequest>(
    ServiceAccount,
    key,
    "token",
    request,
  );
  const token = answer.status.token ?? "";
  const lifetime = Date.parse(answer.status.expirationTimestamp ?? "") - asked;
  const use = Math.min(
    longestUse,
    (Number.isFinite(lifetime) ? lifetime : defaultTokenSeconds * 1000) * refreshPart,
  );
  tokens.set(cacheKey, { token, refreshAt: asked + use });
  return token;
}
