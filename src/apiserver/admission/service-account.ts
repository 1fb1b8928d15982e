import { podReferences } from "../../api/index.ts";
import { Pod, ServiceAccount } from "../../api/types/core-v1.ts";
import type { Container, PodSpec, Volume } from "../../api/types/core-v1.ts";
import type { ObjectMeta } from "../../apimachinery/index.ts";
import { fnv32a, randomSuffix, seededRandom } from "../../base/index.ts";
import type { Clock, Milliseconds } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { mirrorAnnotation, podOf, refused } from "./request.ts";

const defaultAccount = "default";
const volumePrefix = "kube-api-access-";
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** An hour, and a little that tells tokens of this volume from those asked for by hand. */
const tokenSeconds = 3607;
const mountableSecrets = "kubernetes.io/enforce-mountable-secrets";
/** What Go reads as true. */
const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);

/** A namespace's default account is made by a controller: a pod that comes with its namespace waits this long for it. */
const defaultAccountPatience: Milliseconds = 1500;

/** Gives each pod a service account, its token and its pull secrets. */
export function serviceAccountAdmission(options: {
  readonly reader: ObjectReader;
  readonly clock: Clock;
}): AdmissionPlugin {
  const { reader } = options;
  const finish = (
    request: AdmissionRequest,
    { pod, account }: { readonly pod: Pod; readonly account: ServiceAccount | undefined },
  ): Pod => {
    const admitted = { ...pod, spec: withAccount(pod, found(request, account)) };
    judge(request, { pod: admitted, account });
    return admitted;
  };
  return {
    name: "ServiceAccount",
    operations: ["CREATE"],
    resources: [Pod],
    admit(request) {
      const pod = podOf(request);
      if (!pod) return request.object;
      if (isMirror(pod)) {
        judge(request, { pod, account: undefined });
        return request.object;
      }
      const name = pod.spec.serviceAccountName || defaultAccount;
      const { namespace } = request;
      const account = reader.get(ServiceAccount, { namespace, name });
      if (account || name !== defaultAccount) return finish(request, { pod, account });
      return awaitDefaultAccount(namespace, options).then((late) => finish(request, { pod, account: late }));
    },
    // Once more: what ran since may have changed the pod.
    validate(request) {
      const pod = podOf(request);
      if (!pod) return;
      const key = { namespace: request.namespace, name: pod.spec.serviceAccountName ?? "" };
      const account = isMirror(pod) ? undefined : found(request, reader.get(ServiceAccount, key));
      judge(request, { pod, account });
    },
  };
}

const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[mirrorAnnotation] !== undefined;

function found(request: AdmissionRequest, account: ServiceAccount | undefined): ServiceAccount {
  if (account) return account;
  const name = podOf(request)?.spec.serviceAccountName || defaultAccount;
  throw refused(
    request,
    `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
  );
}

/** Throws when the pod uses what it may not. */
function judge(
  request: AdmissionRequest,
  { pod, account }: { readonly pod: Pod; readonly account: ServiceAccount | undefined },
): void {
  const enforced = truths.has(account?.metadata.annotations?.[mountableSecrets] ?? "");
  const problem = isMirror(pod)
    ? mirrorProblem(pod.spec)
    : account && enforced
      ? secretProblem(pod.spec, account)
      : undefined;
  if (problem !== undefined) throw refused(request, problem);
}

/** The namespace's default account as soon as it is there. */
function awaitDefaultAccount(
  namespace: string,
  options: { readonly reader: ObjectReader; readonly clock: Clock },
): Promise<ServiceAccount | undefined> {
  const { reader, clock } = options;
  return new Promise((resolve) => {
    const settle = (account?: ServiceAccount) => {
      unsubscribe();
      timer.cancel();
      resolve(account);
    };
    const unsubscribe = reader.subscribe(ServiceAccount, ({ object }) => {
      const metadata = object?.metadata;
      if (metadata?.name === defaultAccount && metadata.namespace === namespace) settle(object);
    });
    const timer = clock.after(defaultAccountPatience, () => settle());
  });
}

function mirrorProblem(spec: PodSpec): string | undefined {
  if (spec.serviceAccountName) return "a mirror pod may not reference service accounts";
  if (podReferences(spec).secrets.size > 0) return "a mirror pod may not reference secrets";
  const projected = spec.volumes?.flatMap((volume) => volume.projected?.sources ?? []) ?? [];
  return projected.some((source) => source.serviceAccountToken)
    ? "a mirror pod may not use ServiceAccountToken volume projections"
    : undefined;
}

/** Why the pod uses a secret that its account does not name, where accounts are held to name them. */
function secretProblem(spec: PodSpec, account: ServiceAccount): string | undefined {
  const named = (list: readonly { readonly name?: string }[] | undefined) =>
    new Set((list ?? []).map(({ name }) => name));
  const secrets = named(account.secrets);
  const { name } = account.metadata;
  const because = `is not allowed because service account ${name} does not reference that secret`;
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !secrets.has(secret.secretName)) {
      return `volume with secret.secretName="${secret.secretName ?? ""}" ${because}`;
    }
  }
  const kinds = [
    ["init container", spec.initContainers],
    ["container", spec.containers ?? []],
    ["ephemeral container", spec.ephemeralContainers],
  ] as const;
  for (const [kind, containers = []] of kinds) {
    for (const container of containers) {
      for (const variable of container.env ?? []) {
        const key = variable.valueFrom?.secretKeyRef;
        if (key && !secrets.has(key.name)) {
          return `${kind} ${container.name} with envVar ${variable.name} referencing secret.secretName="${key.name ?? ""}" ${because}`;
        }
      }
    }
  }
  const pullSecrets = named(account.imagePullSecrets);
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pullSecrets.has(secret.name)) {
      return `imagePullSecrets[${index}].name="${secret.name ?? ""}" is not allowed because service account ${name} does not reference that imagePullSecret`;
    }
  }
  return undefined;
}

function withAccount({ metadata, spec }: Pod, account: ServiceAccount): PodSpec {
  const { name } = account.metadata;
  const named: PodSpec = { ...spec, serviceAccountName: name, serviceAccount: name };
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  const mounted = mounts ? withTokenVolume(named, metadata) : named;
  const pullSecrets = account.imagePullSecrets ?? [];
  return mounted.imagePullSecrets?.length || pullSecrets.length === 0
    ? mounted
    : { ...mounted, imagePullSecrets: pullSecrets };
}

function withTokenVolume(spec: PodSpec, metadata: Partial<ObjectMeta>): PodSpec {
  const present = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name;
  const needsMount = (container: Container) =>
    !container.volumeMounts?.some((mount) => mount.mountPath === mountPath);
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  if (!all.some(needsMount)) return spec;
  const name = present ?? volumePrefix + suffixOf(metadata);
  const mount = (container: Container): Container =>
    needsMount(container)
      ? {
          ...container,
          volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }],
        }
      : container;
  return {
    ...spec,
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(mount) } : {}),
    containers: (spec.containers ?? []).map(mount),
    ...(present === undefined ? { volumes: [...(spec.volumes ?? []), tokenVolume(name)] } : {}),
  };
}

/** Pods of one workload, which share the start of their names, name the volume alike: so they have one spec in common. */
const suffixOf = ({ namespace = "", generateName, name = "" }: Partial<ObjectMeta>): string =>
  randomSuffix(seededRandom(fnv32a(`${namespace}/${generateName || name}`)));

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
  },
});
