import { matchesNodeAffinity } from "../../api/index.ts";
import type { Node, Pod, ResourceList } from "../../api/types/core-v1.ts";
import { milliValue, wholeValue } from "../quantity.ts";
import { podRequest, requestedNames } from "../runtime/resources.ts";
import { forbiddenSysctl } from "./sysctls.ts";

/** Why a node does not take a pod on. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

interface Place {
  readonly allocatable: ResourceList;
  /** The pods that the node has taken on and that still hold what they asked for. */
  readonly others: readonly Pod[];
}

/** Whether a node has what a pod that was bound to it asks for; undefined when it has. */
export function refusePod(pod: Pod, place: Place): Refusal | undefined {
  return refuseSysctls(pod) ?? refuseResources(pod, place) ?? refusePorts(pod, place);
}

function refuseSysctls(pod: Pod): Refusal | undefined {
  const message = forbiddenSysctl(pod);
  return message === undefined ? undefined : { reason: "SysctlForbidden", message };
}

function refuseResources(pod: Pod, { allocatable, others }: Place): Refusal | undefined {
  const lacks = (name: string, amounts: { requested: number; used: number; capacity: number }) => {
    const { requested, used, capacity } = amounts;
    const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return requested > 0 && requested + used > capacity ? { reason: `OutOf${name}`, message } : undefined;
  };
  const pods = { requested: 1, used: others.length, capacity: wholeValue(allocatable["pods"] ?? "0") };
  const tooMany = lacks("pods", pods);
  if (tooMany) return tooMany;
  // What the node does not know of, others look after.
  for (const name of requestedNames(pod).filter((known) => allocatable[known] !== undefined)) {
    const value = name === "cpu" ? milliValue : wholeValue;
    const requestOf = (of: Pod) => value(podRequest(of, name));
    const used = others.reduce((sum, other) => sum + requestOf(other), 0);
    const capacity = value(allocatable[name] ?? "0");
    const refusal = lacks(name, { requested: requestOf(pod), used, capacity });
    if (refusal) return refusal;
  }
  return undefined;
}

interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

function refusePorts(pod: Pod, { others }: Place): Refusal | undefined {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return undefined;
  const taken = others.flatMap(hostPorts);
  const clash = wanted.some((one) =>
    taken.some(
      (other) =>
        one.port === other.port &&
        one.protocol === other.protocol &&
        (one.ip === other.ip || one.ip === everyAddress || other.ip === everyAddress),
    ),
  );
  return clash
    ? failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    : undefined;
}

const everyAddress = "0.0.0.0";

function hostPorts({ spec }: Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...spec.containers, ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP, protocol = "TCP" }) =>
      hostPort > 0 ? [{ ip: hostIP || everyAddress, protocol, port: hostPort }] : [],
    ),
  );
}

const failed = (predicate: string, why: string): Refusal => ({
  reason: predicate,
  message: `Predicate ${predicate} failed: ${why}`,
});

/** Whether a pod says which nodes it wants. */
export function choosesNodes({ spec }: Pod): boolean {
  return (
    spec.nodeSelector !== undefined ||
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
  );
}

/** Whether a pod that was bound to a node does not want it. */
export function refuseNode(pod: Pod, node: Node): Refusal | undefined {
  if (matchesNodeAffinity(pod.spec, node)) return undefined;
  return failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
}
