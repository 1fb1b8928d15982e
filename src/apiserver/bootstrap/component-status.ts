import type { AnyObject } from "../registry/entry.ts";

/** The components that share the server's process, and its store, as they are now. */
export function componentStatuses(health: {
  /** Whether controllers and scheduler run. */
  readonly running: boolean;
}): readonly AnyObject[] {
  const ports = { scheduler: 10_259, "controller-manager": 10_257 };
  const others = Object.entries(ports).map(([name, port]) =>
    statusOf(name, health.running ? undefined : refused(port)),
  );
  return [...others, statusOf("etcd-0", undefined)];
}

function statusOf(name: string, problem: string | undefined): AnyObject {
  const status = problem === undefined ? "True" : "False";
  // Made anew for each answer, it has none of what the registry gives to what it stores.
  const metadata = { name } as AnyObject["metadata"];
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata,
    conditions: [{ type: "Healthy", status, message: problem ?? "ok" }],
  };
}

const refused = (port: number): string =>
  `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`;
