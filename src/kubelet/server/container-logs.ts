import { containersOf } from "../../api/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { ContainerStatus, Pod } from "../../api/types/core-v1.ts";
import { HttpError } from "./http-error.ts";
import type { LogSelection } from "./logs/log-output.ts";

/** What a request for a container's log asks for. */
export interface LogRequest extends LogSelection {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly tailLines?: number;
}

const flag = (value: string | null) => value !== null && value !== "false" && value !== "0";

/** Reads the query of `/containerLogs`; throws `HttpError`. */
export function logRequestOf(query: URLSearchParams, now: Milliseconds): LogRequest {
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new HttpError(422, `${name}: Invalid value: ${text}: must be greater than or equal to ${least}`);
    }
    return value;
  };
  const sinceSeconds = number("sinceSeconds", 1);
  const sinceTime = Date.parse(query.get("sinceTime") ?? "");
  const since =
    sinceSeconds === undefined
      ? Number.isNaN(sinceTime)
        ? undefined
        : sinceTime
      : now - sinceSeconds * 1000;
  const tailLines = number("tailLines", 0);
  const limitBytes = number("limitBytes", 1);
  const stream = query.get("stream")?.toLowerCase();
  return {
    follow: flag(query.get("follow")),
    previous: flag(query.get("previous")),
    timestamps: flag(query.get("timestamps")),
    ...(since === undefined ? {} : { since }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === "stdout" || stream === "stderr" ? { stream } : {}),
  };
}

/** Whether the pod's definition has the container, of whatever kind. */
export function hasContainer({ spec }: Pod, name: string): boolean {
  return containersOf(spec).some((container) => container.name === name);
}

const withoutScheme = (id: string | undefined): string | undefined => id?.split("://")[1];

/** The runtime's id of the container whose log is wanted; throws `HttpError` in upstream's words when there is none. */
export function loggedContainer(
  pod: Pod,
  { container, previous }: { readonly container: string; readonly previous: boolean },
): string {
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  const refuse = (message: string) => new HttpError(400, message);
  const status = statusOf(pod, container);
  if (!status) throw refuse(`${where} is not available`);
  const { running, terminated, waiting } = status.state ?? {};
  const last = status.lastState?.terminated;
  const lastId = withoutScheme(last?.containerID);
  if (previous) {
    if (lastId === undefined) throw refuse(`previous terminated ${where} not found`);
    return lastId;
  }
  const id = running
    ? withoutScheme(status.containerID)
    : ((terminated && withoutScheme(terminated.containerID)) ?? lastId);
  if (id !== undefined) return id;
  if (terminated ?? last) throw refuse(`${where} is terminated`);
  if (!waiting) throw refuse(`${where} is waiting to start - no logs yet`);
  switch (waiting.reason) {
    case "ErrImagePull":
      throw refuse(`${where} is waiting to start: image can't be pulled`);
    case "ImagePullBackOff":
      throw refuse(`${where} is waiting to start: trying and failing to pull image`);
    default:
      throw refuse(`${where} is waiting to start: ${waiting.reason ?? ""}`);
  }
}

function statusOf({ status }: Pod, name: string): ContainerStatus | undefined {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  return all.find((one) => one.name === name);
}
