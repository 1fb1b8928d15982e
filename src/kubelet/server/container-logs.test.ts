import { expect, test } from "vitest";
import type { ContainerStatus, Pod } from "../../api/types/core-v1.ts";
import { logRequestOf, loggedContainer } from "./container-logs.ts";

type State = ContainerStatus["state"];

const podWith = (state: State, lastState: State = {}): Pod =>
  ({
    metadata: { name: "p" },
    spec: { containers: [] },
    status: {
      containerStatuses: [
        { name: "c", containerID: "containerd://now", state, lastState } as ContainerStatus,
      ],
    },
  }) as unknown as Pod;

const ended = (containerID?: string) =>
  ({ terminated: { exitCode: 1, ...(containerID === undefined ? {} : { containerID }) } }) as State;
const waits = (reason: string) => ({ waiting: { reason } }) as State;
const runs = { running: {} } as State;

test.each([
  { name: "a running one", pod: podWith(runs), id: "now" },
  { name: "an ended one", pod: podWith(ended("containerd://ended")), id: "ended" },
  {
    name: "one that crashed before",
    pod: podWith(waits("CrashLoopBackOff"), ended("containerd://old")),
    id: "old",
  },
  { name: "the previous", pod: podWith(runs, ended("containerd://old")), previous: true, id: "old" },
  {
    name: "no previous",
    pod: podWith(runs),
    previous: true,
    error: 'previous terminated container "c" in pod "p" not found',
  },
  {
    name: "one that is being made",
    pod: podWith(waits("ContainerCreating")),
    error: 'container "c" in pod "p" is waiting to start: ContainerCreating',
  },
  {
    name: "one without an image",
    pod: podWith(waits("ImagePullBackOff")),
    error: 'container "c" in pod "p" is waiting to start: trying and failing to pull image',
  },
  { name: "one ended unseen", pod: podWith(ended()), error: 'container "c" in pod "p" is terminated' },
])("the log of $name", ({ pod, previous = false, id, error }) => {
  const find = () => loggedContainer(pod, { container: "c", previous });
  if (error === undefined) expect(find()).toBe(id);
  else expect(find).toThrow(error);
});

test("a container without a status has no log", () => {
  expect(() => loggedContainer(podWith(runs), { container: "x", previous: false })).toThrow(
    'container "x" in pod "p" is not available',
  );
});

test.each([
  { query: "follow=true&tailLines=3", request: { follow: true, tailLines: 3 } },
  { query: "sinceSeconds=10", request: { since: 90_000 } },
  { query: "sinceTime=1970-01-01T00:00:05Z&timestamps=true", request: { since: 5000, timestamps: true } },
  { query: "stream=Stderr&limitBytes=9", request: { stream: "stderr", limitBytes: 9 } },
])("reads $query", ({ query, request }) => {
  expect(logRequestOf(new URLSearchParams(query), 100_000)).toEqual({
    follow: false,
    previous: false,
    timestamps: false,
    ...request,
  });
});

test("refuses numbers that are none", () => {
  expect(() => logRequestOf(new URLSearchParams("tailLines=-1"), 0)).toThrow("tailLines");
});
