import { Pod } from "../../api/types/core-v1.ts";
import type { Container, Toleration } from "../../api/types/core-v1.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { podOf, refused } from "./request.ts";

const pods = [Pod];
const hostname = "kubernetes.io/hostname";

/** Every image is pulled anew: nobody runs private images of others from a node's store. */
export const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",
  operations: ["CREATE", "UPDATE"],
  resources: pods,
  admit(request) {
    const pod = podOf(request);
    if (!pod || sameImages(pod, request.old as Pod | undefined)) return request.object;
    const pulling = <T extends Pick<Container, "imagePullPolicy">>(container: T): T => ({
      ...container,
      imagePullPolicy: "Always",
    });
    const { initContainers, containers, ephemeralContainers, volumes } = pod.spec;
    const spec = {
      ...pod.spec,
      containers: containers.map(pulling),
      ...(initContainers ? { initContainers: initContainers.map(pulling) } : {}),
      ...(ephemeralContainers ? { ephemeralContainers: ephemeralContainers.map(pulling) } : {}),
      ...(volumes
        ? {
            volumes: volumes.map((volume) =>
              volume.image
                ? { ...volume, image: { ...volume.image, pullPolicy: "Always" as const } }
                : volume,
            ),
          }
        : {}),
    };
    return { ...pod, spec };
  },
};

function sameImages(pod: Pod, old: Pod | undefined): boolean {
  if (!old) return false;
  const known = new Set(imagesOf(old));
  return imagesOf(pod).every((image) => known.has(image));
}

const imagesOf = ({ spec }: Pod): readonly (string | undefined)[] =>
  [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].map(
    ({ image }) => image,
  );

/** Pods keep others off their node, not off whole zones. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: "LimitPodHardAntiAffinityTopology",
  operations: ["CREATE", "UPDATE"],
  resources: pods,
  validate(request) {
    const terms =
      podOf(request)?.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const wrong = terms.find(({ topologyKey }) => topologyKey !== hostname);
    if (!wrong) return;
    throw refused(
      request,
      `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wrong.topologyKey} but only key ${hostname} is allowed`,
    );
  },
};

/** Pods that ask for an extended resource tolerate the taint that keeps others off its nodes. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: "ExtendedResourceToleration",
  operations: ["CREATE", "UPDATE"],
  resources: pods,
  admit(request) {
    const pod = podOf(request);
    if (!pod) return request.object;
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const names = containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
    const extended = [...new Set(names)].filter(isExtendedResource).sort();
    if (extended.length === 0) return request.object;
    const wanted = extended.map((key): Toleration => ({ key, operator: "Exists", effect: "NoSchedule" }));
    const present = pod.spec.tolerations ?? [];
    const added = wanted.filter(
      ({ key }) =>
        !present.some(
          (toleration) =>
            toleration.key === key && toleration.operator === "Exists" && toleration.effect === "NoSchedule",
        ),
    );
    return { ...pod, spec: { ...pod.spec, tolerations: [...present, ...added] } };
  },
};

/** Resources of a domain of their own, not Kubernetes'. */
const isExtendedResource = (name: string): boolean =>
  name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith("requests.");
