import type { InFlight } from "../filters/in-flight.ts";
import { versionInfo } from "../version.ts";
import type { MetricsRegistry } from "./registry.ts";

/** What the server knows of itself: what it is and how much it has to do. */
export function observeServer(
  registry: MetricsRegistry,
  { inFlight }: { readonly inFlight: InFlight },
): void {
  registry.observed(
    {
      name: "apiserver_current_inflight_requests",
      help: "Requests in progress, by whether they change something.",
      stability: "STABLE",
      labels: ["request_kind"],
    },
    () => [
      [inFlight.writing, "mutating"],
      [inFlight.reading, "readOnly"],
    ],
  );
  const version = versionInfo();
  registry.observed(
    {
      name: "kubernetes_build_info",
      help: "The version that is running, as labels of a constant 1.",
      labels: buildLabels.map(([label]) => label),
    },
    () => [[1, ...buildLabels.map(([, field]) => version[field] ?? "")]],
  );
}

const buildLabels = [
  ["build_date", "buildDate"],
  ["compiler", "compiler"],
  ["git_commit", "gitCommit"],
  ["git_tree_state", "gitTreeState"],
  ["git_version", "gitVersion"],
  ["go_version", "goVersion"],
  ["major", "major"],
  ["minor", "minor"],
  ["platform", "platform"],
] as const;
