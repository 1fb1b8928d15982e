import { ServiceAccount } from "../../api/types/core-v1.ts";
import type { Container, Pod, PodSpec, Volume } from "../../api/types/core-v1.ts";
import { randomSuffix } from "../../base/index.ts";
import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { mirrorAnnotation, podOf, refused } from "./request.ts";

const defaultAccount = "default";
const volumePrefix = "kube-api-access-";
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** An hour, and a little that tells tokens of this volume from those asked for by hand. */
const tokenSeconds = 3607;

/** A namespace's default account is made by a controller: a pod that comes with its namespace waits this long for it. */
const defaultAccountPatience: Milliseconds = 1500;

/** Gives each pod a service account, its token and its pull secrets. */
export function serviceAccountAdmission(options: {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
}): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    operations: ["CREATE"],
    async admit(request) {
      const pod = podOf(request);
      if (!pod) return request.object;
      if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) {
        const problem = mirrorProblem(pod.spec);
        if (problem !== undefined) throw refused(request, problem);
        return request.object;
      }
      const name = pod.spec.serviceAccountName || defaultAccount;
      const { namespace } = request;
      const account =
        options.reader.get(ServiceAccount, { namespace, name }) ??
        (name === defaultAccount ? await awaitDefaultAccount(namespace, options) : undefined);
      if (!account) {
        throw refused(
          request,
          `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
        );
      }
      return { ...pod, spec: withAccount(pod.spec, { account, random: options.random }) } as Pod;
    },
  };
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
  if (spec.volumes?.some((volume) => volume.secret)) return "a mirror pod may not reference secrets";
  const projected = spec.volumes?.flatMap((volume) => volume.projected?.sources ?? []) ?? [];
  return projected.some((source) => source.serviceAccountToken)
    ? "a mirror pod may not use ServiceAccountToken volume projections"
    : undefined;
}

function withAccount(
  spec: PodSpec,
  options: { readonly account: ServiceAccount; readonly random: Random },
): PodSpec {
  const { account } = options;
  const { name } = account.metadata;
  const named: PodSpec = { ...spec, serviceAccountName: name, serviceAccount: name };
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  const mounted = mounts ? withTokenVolume(named, options.random) : named;
  const pullSecrets = account.imagePullSecrets ?? [];
  return mounted.imagePullSecrets?.length || pullSecrets.length === 0
    ? mounted
    : { ...mounted, imagePullSecrets: pullSecrets };
}

function withTokenVolume(spec: PodSpec, random: Random): PodSpec {
  const present = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name;
  const needsMount = (container: Container) =>
    !container.volumeMounts?.some((mount) => mount.mountPath === mountPath);
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  if (!all.some(needsMount)) return spec;
  const name = present ?? volumePrefix + randomSuffix(random);
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
    containers: spec.containers.map(mount),
    ...(present === undefined ? { volumes: [...(spec.volumes ?? []), tokenVolume(name)] } : {}),
  };
}

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
