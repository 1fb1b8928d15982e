import { podResources } from "../../api/quota/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { milliValueOf, valueOf } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { refused } from "./request.ts";

const osLabel = "kubernetes.io/os";

/** Refuses resizes that a pod's node could never grant. */
export function podResizeValidator(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "PodResizeValidator",
    operations: ["UPDATE"],
    resources: [Pod],
    validate(request) {
      if (request.subresource !== "resize") return;
      const pod = request.object as Pod;
      const name = pod.spec.nodeName;
      if (!name || request.old?.metadata.generation === pod.metadata.generation) return;
      const node = reader.get(Node, { name });
      const why = node ? problemOf(pod, node) : `node ${JSON.stringify(name)} not found`;
      if (why !== undefined) throw refused(request, why);
    },
  };
}

function problemOf(pod: Pod, node: Node): string | undefined {
  const requests = podResources(pod.spec, "requests");
  const allocatable = node.status?.allocatable ?? {};
  const measures = { cpu: milliValueOf, memory: valueOf };
  const lacking = Object.entries(measures).flatMap(([name, measure]) => {
    const requested = measure(requests[name] ?? "0");
    const available = measure(allocatable[name] ?? "0");
    return requested > available ? [`${name}, requested: ${requested}, allocatable: ${available}`] : [];
  });
  if (lacking.length > 0) return `Node didn't have enough allocatable resources: ${lacking.join("; ")}`;
  const os = node.metadata.labels?.[osLabel] ?? "";
  if (os === "linux") return undefined;
  return `pod resize is only supported on linux nodes, node ${JSON.stringify(node.metadata.name)} is ${JSON.stringify(os)}`;
}
