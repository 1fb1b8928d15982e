import type { Plugin } from "../framework.ts";
import { imageLocality } from "./image-locality.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResourcesBalanced, nodeResourcesFit } from "./node-resources.ts";
import { podTopologySpread } from "./pod-topology-spread.ts";
import { nodeUnschedulable, taintToleration } from "./taints.ts";
import { volumeBinding } from "./volume-binding.ts";

/** The plugins of the default profile, in the order in which their reasons count. */
export const defaultPlugins: readonly Plugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeBinding,
  podTopologySpread,
  interPodAffinity,
  nodeResourcesBalanced,
  imageLocality,
];
