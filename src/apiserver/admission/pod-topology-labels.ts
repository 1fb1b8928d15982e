import { Node, Pod } from "../../api/types/core-v1.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin } from "./plugin.ts";

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** Tells pods in which zone and region their node is. A binding carries the labels to its pod. */
export function podTopologyLabels(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "PodTopologyLabels",
    operations: ["CREATE"],
    resources: [Pod],
    admit(request) {
      const { object, subresource } = request;
      const name = nodeNameIn(object, subresource);
      if (!name) return object;
      const nodeLabels = reader.get(Node, { name })?.metadata.labels ?? {};
      const labels = object.metadata.labels ?? {};
      const added = topologyLabels.filter(
        (label) => nodeLabels[label] !== undefined && labels[label] === undefined,
      );
      if (added.length === 0) return object;
      const copied = Object.fromEntries(added.map((label) => [label, nodeLabels[label] ?? ""]));
      return { ...object, metadata: { ...object.metadata, labels: { ...labels, ...copied } } };
    },
  };
}

function nodeNameIn(object: KubernetesObject, subresource: string): string | undefined {
  if (subresource === "") return (object as Pod).spec.nodeName;
  if (subresource !== "binding") return undefined;
  const { target } = object as { readonly target?: { readonly kind?: string; readonly name?: string } };
  return target?.kind === "Node" ? target.name : undefined;
}
