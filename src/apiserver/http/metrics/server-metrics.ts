import type { Core } from "../../registry/context.ts";
import type { ServedTable } from "../../registry/served.ts";
import type { InFlight } from "../filters/in-flight.ts";
import { versionInfo } from "../version.ts";
import { admissionObserver } from "./admission-metrics.ts";
import { observeConversions } from "./conversion-metrics.ts";
import { observeFeatures } from "./features.ts";
import { observeProcess } from "./process-metrics.ts";
import { observeRules } from "./rule-metrics.ts";
import { observeStorage } from "./storage-metrics.ts";
import type { Counter, MetricsRegistry } from "./registry.ts";

/** What the server knows of itself: what it is and how much it has to do. */
export function observeServer(
  registry: MetricsRegistry,
  options: {
    readonly inFlight: InFlight;
    readonly core: Core;
    readonly cbor: boolean;
    /** How large the store's files are. */
    readonly storageSize: (() => number | undefined) | undefined;
  },
): { readonly handshakeErrors: Counter } {
  const { inFlight, core, cbor } = options;
  const { served } = core;
  observeProcess(registry);
  observeFeatures(registry, { cbor });
  observeStorage(registry, options);
  observeConversions(registry, core);
  observeRules(registry, core);
  core.admission.observe(admissionObserver(registry));
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
  registry.observed(
    {
      name: "apiserver_current_inqueue_requests",
      help: "Requests that wait for a seat, by whether they change something.",
      labels: ["request_kind"],
    },
    () => [
      [inFlight.waitingWriting, "mutating"],
      [inFlight.waitingReading, "readOnly"],
    ],
  );
  registry.observed(
    {
      name: "apiserver_resource_objects",
      help: "Objects that are stored, by resource.",
      labels: ["group", "resource"],
    },
    () => storedObjects(served).map(({ size, group, plural }) => [size, group, plural] as const),
  );
  registry.observed(
    {
      name: "apiserver_storage_objects",
      help: "Objects that are stored, by resource; apiserver_resource_objects says the same.",
      stability: "STABLE",
      labels: ["resource"],
    },
    () =>
      storedObjects(served).map(
        ({ size, group, plural }) => [size, group === "" ? plural : `${plural}.${group}`] as const,
      ),
  );
  observeBuild(registry);
  const handshakes = registry.counter({
    name: "apiserver_tls_handshake_errors_total",
    help: "Connections whose TLS handshake failed.",
  });
  return { handshakeErrors: handshakes.with() };
}

function observeBuild(registry: MetricsRegistry): void {
  registry.observed(
    {
      name: "registered_metrics_total",
      help: "Metrics that there are, by their stability.",
      stability: "BETA",
      type: "counter",
      labels: ["deprecated_version", "stability_level"],
    },
    () => Array.from(registry.stabilities(), ([stability, count]) => [count, "", stability] as const),
  );
  // None is turned off or hidden, which upstream says too.
  for (const state of ["disabled", "hidden"]) {
    const name = `${state}_metrics_total`;
    registry.counter({ name, help: `Metrics that are ${state}.`, stability: "BETA" }).with();
  }
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

function storedObjects(served: ServedTable) {
  const sizes = new Map<string, { readonly size: number; readonly group: string; readonly plural: string }>();
  for (const { storage, verbs } of served.all()) {
    // What is answered and never stored has no objects.
    if (!verbs.includes("list")) continue;
    const { group, plural } = storage.stored;
    sizes.set(storage.prefix, { size: storage.cache.size, group, plural });
  }
  return [...sizes.values()];
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
