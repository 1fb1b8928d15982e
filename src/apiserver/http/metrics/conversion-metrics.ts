import type { Core } from "../../registry/context.ts";
import { exponential } from "./registry.ts";
import type { MetricsRegistry } from "./registry.ts";

const conversionBounds = exponential(0.001, { factor: 2, count: 15 });
const callBounds = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60];
const millisecondsPerSecond = 1_000;
/** The one failure of calls that upstream tells apart from success. */
const callFailure = "conversion_webhook_call_failure";
/** Upstream loses the version from which it converts before it counts. */
const fromVersion = "";

/** Counts what webhooks take that convert custom resources. */
export function observeConversions(registry: MetricsRegistry, core: Pick<Core, "conversionUse">): void {
  const conversions = registry.histogram(
    {
      name: "apiserver_crd_conversion_webhook_duration_seconds",
      help: "Time that conversions of custom resources by webhooks take, in seconds.",
      labels: ["crd_name", "from_version", "succeeded", "to_version"],
    },
    conversionBounds,
  );
  const labels = ["failure_type", "result"];
  const durations = registry.histogram(
    {
      name: "apiserver_conversion_webhook_duration_seconds",
      help: "Time that calls of conversion webhooks take, in seconds.",
      labels,
    },
    callBounds,
  );
  const requests = registry.counter({
    name: "apiserver_conversion_webhook_request_total",
    help: "Calls of conversion webhooks, and why they failed.",
    labels,
  });
  core.conversionUse.observer = {
    now: () => performance.now() / millisecondsPerSecond,
    called({ seconds, failed }) {
      const [failure, result] = failed ? [callFailure, "failure"] : ["", "success"];
      durations.with(failure, result).observe(seconds);
      requests.with(failure, result).value += 1;
    },
    converted: ({ definition, toVersion, seconds, succeeded }) =>
      conversions.with(definition, fromVersion, String(succeeded), toVersion).observe(seconds),
  };
}
