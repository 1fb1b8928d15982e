import { RuntimeClass } from "../../api/types/node-v1.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PodSpec, Toleration } from "../../api/types/core-v1.ts";
import { canonicalQuantity } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { podOf, refused } from "./request.ts";

/** Adds what a pod's runtime class costs and where it runs. */
export function runtimeClassAdmission(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    operations: ["CREATE"],
    resources: [Pod],
    admit(request) {
      const pod = podOf(request);
      if (!pod) return request.object;
      const { runtimeClassName } = pod.spec;
      if (!runtimeClassName) {
        if (!pod.spec.overhead || Object.keys(pod.spec.overhead).length === 0) return request.object;
        throw refused(
          request,
          "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        );
      }
      const runtimeClass = reader.get(RuntimeClass, { name: runtimeClassName });
      if (!runtimeClass) {
        throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`);
      }
      return {
        ...pod,
        spec: withScheduling(request, {
          spec: withOverhead(request, { spec: pod.spec, runtimeClass }),
          runtimeClass,
        }),
      };
    },
  };
}

interface Choice {
  readonly spec: PodSpec;
  readonly runtimeClass: RuntimeClass;
}

function withOverhead(request: AdmissionRequest, { spec, runtimeClass }: Choice): PodSpec {
  const defined = runtimeClass.overhead?.podFixed;
  const given = Object.keys(spec.overhead ?? {}).length > 0;
  if (!defined) {
    if (!given) return spec;
    throw refused(
      request,
      "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    );
  }
  const canonical = (list: Readonly<Record<string, string>>) =>
    JSON.stringify(
      Object.entries(list)
        .map(([name, quantity]) => [name, canonicalQuantity(quantity)])
        .sort(),
    );
  if (given && canonical(spec.overhead ?? {}) !== canonical(defined)) {
    throw refused(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  return { ...spec, overhead: defined };
}

function withScheduling(request: AdmissionRequest, { spec, runtimeClass }: Choice): PodSpec {
  const { scheduling } = runtimeClass;
  if (!scheduling) return spec;
  const nodeSelector: Record<string, string> = { ...spec.nodeSelector };
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const present = nodeSelector[key];
    if (present !== undefined && present !== value) {
      throw refused(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${present}`,
      );
    }
    nodeSelector[key] = value;
  }
  const tolerations = spec.tolerations ?? [];
  const known = new Set(tolerations.map(tolerationKey));
  const added = (scheduling.tolerations ?? []).filter((toleration) => !known.has(tolerationKey(toleration)));
  return {
    ...spec,
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(added.length > 0 ? { tolerations: [...tolerations, ...added] } : {}),
  };
}

const tolerationKey = ({ key, operator, value, effect, tolerationSeconds }: Toleration): string =>
  JSON.stringify([key ?? "", operator ?? "Equal", value ?? "", effect ?? "", tolerationSeconds]);
