import { timestampOf } from "../../apimachinery/index.ts";
import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
} from "../../api/types/core-v1.ts";
import type { ObservedContainer, PodObservation } from "../observation.ts";

/** Why a container waits. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What statuses are made of. */
export interface StatusInput {
  readonly pod: Pod;
  readonly observed: PodObservation;
  /** By container name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** By runtime id: what ended containers left as their last message. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  readonly started: (containerId: string) => boolean;
  readonly ready: (containerId: string) => boolean;
  /** The pod's end has begun, so nothing starts any more. */
  readonly ending: boolean;
}

const containerIdOf = (id: string) => `containerd://${id}`;

/** The statuses of a list of containers, in the list's order by name as upstream sorts them. */
export function containerStatuses(
  containers: readonly Container[],
  options: StatusInput & {
    readonly previous: readonly ContainerStatus[];
    readonly kind: "init" | "main" | "ephemeral";
  },
): ContainerStatus[] {
  const statuses = containers.map((container) => containerStatus(container, options));
  if (options.kind === "init") return statuses;
  return statuses.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

type Options = Parameters<typeof containerStatuses>[1];

function containerStatus(container: Container, options: Options): ContainerStatus {
  const records = options.observed.containers.filter(({ name }) => name === container.name);
  const previous = options.previous.find(({ name }) => name === container.name);
  const [latest, before] = records;
  if (!latest) return unseenStatus(container, options, previous);
  const waiting = latest.state === "running" ? undefined : options.waiting.get(container.name);
  const state = waiting ? { waiting } : stateOf(latest, options);
  const lastTerminated = waiting && latest.state === "exited" ? latest : before;
  const lastState =
    lastTerminated?.state === "exited"
      ? { terminated: terminated(lastTerminated, options) }
      : (previous?.lastState ?? {});
  const running = latest.state === "running";
  const sidecar = container.restartPolicy === "Always";
  const completed = options.kind === "init" && !sidecar && latest.state === "exited" && latest.exitCode === 0;
  const started = running && (options.kind === "init" && !sidecar ? false : options.started(latest.id));
  return {
    name: container.name,
    state,
    lastState,
    ready:
      options.kind === "ephemeral"
        ? false
        : completed || (running && (options.kind !== "init" || sidecar) && options.ready(latest.id)),
    restartCount: latest.restartCount,
    image: container.image ?? latest.image,
    imageID: latest.imageId,
    containerID: containerIdOf(latest.id),
    started,
    ...resourcesOf(container, running),
  };
}

function resourcesOf(container: Container, running: boolean): Partial<ContainerStatus> {
  const { requests } = container.resources ?? {};
  if (!running) return {};
  return {
    ...(requests && Object.keys(requests).length > 0 ? { allocatedResources: requests } : {}),
    resources: container.resources ?? {},
  };
}

/** The status of a container of which the runtime has no record. */
function unseenStatus(
  container: Container,
  options: Options,
  previous: ContainerStatus | undefined,
): ContainerStatus {
  const base = {
    name: container.name,
    ready: false,
    restartCount: 0,
    image: container.image ?? "",
    imageID: "",
    lastState: {},
  };
  if (previous?.state.terminated) return previous;
  if (previous?.state.running) {
    // It ran, and its record is gone: nobody knows how it ended.
    const lost = {
      exitCode: 137,
      reason: "ContainerStatusUnknown",
      message: "The container could not be located when the pod was terminated",
    };
    const policy = container.restartPolicy ?? options.pod.spec.restartPolicy;
    if (options.ending || policy === "Never")
      return { ...previous, ready: false, started: false, state: { terminated: lost } };
    return {
      ...previous,
      ready: false,
      started: false,
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: {
        terminated: {
          ...lost,
          message:
            "The container could not be located when the pod was deleted.  The container used to be Running",
        },
      },
      restartCount: previous.restartCount + 1,
    };
  }
  const waiting = options.waiting.get(container.name);
  const initializing = options.kind !== "ephemeral" && (options.pod.spec.initContainers ?? []).length > 0;
  const fallback = { reason: initializing ? "PodInitializing" : "ContainerCreating" };
  return {
    ...base,
    ...(options.kind === "ephemeral" ? {} : { started: false }),
    state: { waiting: waiting ?? fallback },
  };
}

function stateOf(container: ObservedContainer, options: Options): ContainerState {
  switch (container.state) {
    case "running":
      return { running: { startedAt: timestampOf(container.startedAt) } };
    case "exited":
      return { terminated: terminated(container, options) };
    case "created":
      return { waiting: { reason: "ContainerCreating" } };
    case "unknown":
      return {
        terminated: {
          exitCode: 137,
          reason: "ContainerStatusUnknown",
          message: "The container could not be located when the pod was terminated",
        },
      };
  }
}

function terminated(container: ObservedContainer, options: StatusInput): ContainerStateTerminated {
  const message = options.terminationMessages.get(container.id) || container.message;
  return {
    exitCode: container.exitCode,
    reason: container.reason || (container.exitCode === 0 ? "Completed" : "Error"),
    ...(message === "" ? {} : { message }),
    startedAt: timestampOf(container.startedAt),
    finishedAt: timestampOf(container.finishedAt),
    containerID: containerIdOf(container.id),
  };
}
