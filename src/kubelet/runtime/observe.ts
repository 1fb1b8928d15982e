import { CriError, containerState, namespaceMode, sandboxState } from "../../cri/index.ts";
import type { ContainerStatus, CriClient, PodSandboxStatus } from "../../cri/index.ts";
import type { ObservedContainer, ObservedSandbox, PodObservation } from "../observation.ts";
import { annotationKeys, labelKeys } from "./labels.ts";

const milliseconds = (nanoseconds: number) => nanoseconds / 1e6;
const stateNames = ["created", "running", "exited", "unknown"] as const;

/** Asks the runtime for everything it has of a pod. */
export async function observePod(cri: CriClient, uid: string): Promise<PodObservation> {
  const labelSelector = { [labelKeys.podUid]: uid };
  const [sandboxList, containerList] = await Promise.all([
    cri.listPodSandbox({ filter: { labelSelector } }),
    cri.listContainers({ filter: { labelSelector } }),
  ]);
  const sandboxes = await Promise.all(
    sandboxList.items.map(({ id }) => ifPresent(cri.podSandboxStatus({ podSandboxId: id }))),
  );
  const containers = await Promise.all(
    containerList.containers.map(async ({ id, podSandboxId }) => {
      const answer = await ifPresent(cri.containerStatus({ containerId: id }));
      return answer?.status && observedContainer(answer.status, podSandboxId);
    }),
  );
  const newestFirst = (left: { createdAt: number }, right: { createdAt: number }) =>
    right.createdAt - left.createdAt;
  return {
    sandboxes: sandboxes
      .flatMap((answer) => (answer?.status ? [observedSandbox(answer.status)] : []))
      .sort(newestFirst),
    containers: containers.filter((container) => container !== undefined).sort(newestFirst),
  };
}

/** What was removed between the list and the question is not there. */
async function ifPresent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (CriError.isNotFound(error)) return undefined;
    throw error;
  }
}

function observedSandbox(status: PodSandboxStatus): ObservedSandbox {
  const { network } = status;
  const ips = [network?.ip ?? "", ...(network?.additionalIps ?? []).map(({ ip }) => ip)];
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    ready: status.state === sandboxState.ready,
    createdAt: milliseconds(status.createdAt),
    ips: ips.filter((ip) => ip !== ""),
    hostNetwork: status.linux?.namespaces?.options?.network === namespaceMode.node,
  };
}

function observedContainer(status: ContainerStatus, sandboxId: string): ObservedContainer {
  return {
    id: status.id,
    name: status.labels[labelKeys.containerName] ?? status.metadata?.name ?? "",
    sandboxId,
    state: stateNames[status.state] ?? "unknown",
    createdAt: milliseconds(status.createdAt),
    startedAt: milliseconds(status.startedAt),
    finishedAt: milliseconds(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? "",
    imageId: status.imageRef || status.imageId,
    hash: status.annotations[annotationKeys.hash] ?? "",
    restartCount: Number(status.annotations[annotationKeys.restartCount] ?? status.metadata?.attempt ?? 0),
    logPath: status.logPath,
    terminationFile: status.mounts.find(
      ({ containerPath }) => containerPath === status.annotations[annotationKeys.terminationMessagePath],
    )?.hostPath,
    fallsBackToLogs: status.annotations[annotationKeys.terminationMessagePolicy] === "FallbackToLogsOnError",
  };
}

/** One line a pod that changes whenever one of its sandboxes or containers does. */
export async function fingerprints(cri: CriClient): Promise<ReadonlyMap<string, string>> {
  const [{ items }, { containers }] = await Promise.all([cri.listPodSandbox({}), cri.listContainers({})]);
  const parts = new Map<string, string[]>();
  const add = (uid: string | undefined, part: string) => {
    if (uid === undefined) return;
    const known = parts.get(uid);
    if (known) known.push(part);
    else parts.set(uid, [part]);
  };
  for (const { id, state, labels } of items) add(labels[labelKeys.podUid], `${id}:${state}`);
  for (const { id, state, labels } of containers)
    add(labels[labelKeys.podUid], `${id}:${state === containerState.created ? "created" : state}`);
  return new Map([...parts].map(([uid, list]) => [uid, list.sort().join(" ")]));
}
