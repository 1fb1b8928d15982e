import type { AdmissionObserver } from "../../admission/chain.ts";
import type { DynamicObserver } from "../../admission/plugin.ts";
import type { Description, MetricsRegistry } from "./registry.ts";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const millisecondsPerSecond = 1_000;

const now = () => performance.now() / millisecondsPerSecond;

/** Counts what admission plugins take; a plugin's series are looked up once for each operation. */
export function admissionObserver(registry: MetricsRegistry): AdmissionObserver {
  const durations = registry.histogram(
    {
      name: "apiserver_admission_controller_admission_duration_seconds",
      help: "Time that admission plugins take, in seconds.",
      stability: "STABLE",
      labels: ["name", "operation", "rejected", "type"],
    },
    bounds,
  );
  const steps = registry.histogram(
    {
      name: "apiserver_admission_step_admission_duration_seconds",
      help: "Time that all plugins of a step take together, in seconds.",
      stability: "STABLE",
      labels: ["operation", "rejected", "type"],
    },
    bounds,
  );
  return {
    now,
    of({ name, operation, type }) {
      const seriesOf = (rejected: "true" | "false") =>
        name === undefined
          ? steps.with(operation, rejected, type)
          : durations.with(name, operation, rejected, type);
      const passed = seriesOf("false");
      return (rejected, seconds) => (rejected ? seriesOf("true") : passed).observe(seconds);
    },
    dynamic: { ...webhookObserver(registry), ...policyObserver(registry), now },
  };
}

const webhookBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
/** Codes above it are shown as this one: there are not endlessly many series. */
const highestCode = 600;
const codeText = (code: number) => String(Math.min(code, highestCode));

function webhookObserver(
  registry: MetricsRegistry,
): Omit<DynamicObserver, "now" | keyof ReturnType<typeof policyObserver>> {
  const count = (name: string, help: string, labels: readonly string[]) =>
    registry.counter({ name: `apiserver_admission_${name}`, help, labels });
  const durations = registry.histogram(
    {
      name: "apiserver_admission_webhook_admission_duration_seconds",
      help: "Time that admission webhooks take, in seconds.",
      stability: "STABLE",
      labels: ["name", "operation", "rejected", "type"],
    },
    webhookBounds,
  );
  const requests = count("webhook_request_total", "Calls of admission webhooks.", [
    "code",
    "name",
    "operation",
    "rejected",
    "type",
  ]);
  const rejections = count("webhook_rejection_count", "Requests that admission webhooks refused.", [
    "error_type",
    "name",
    "operation",
    "rejection_code",
    "type",
  ]);
  const failedOpen = count("webhook_fail_open_count", "Calls of webhooks that failed and were passed over.", [
    "name",
    "type",
  ]);
  const exclusions = count("match_condition_exclusions_total", "Requests that match conditions excluded.", [
    "kind",
    "name",
    "operation",
    "type",
  ]);
  const failures = count(
    "match_condition_evaluation_errors_total",
    "Match conditions that could not be evaluated.",
    ["kind", "name", "operation", "type"],
  );
  const judgements = registry.histogram(
    {
      name: "apiserver_admission_match_condition_evaluation_seconds",
      help: "Time that match conditions take, in seconds.",
      labels: ["kind", "name", "operation", "type"],
    },
    bounds,
  );
  return {
    called({ name, operation, type, rejected, code, seconds }) {
      durations.with(name, operation, String(rejected), type).observe(seconds);
      requests.with(codeText(code), name, operation, String(rejected), type).value += 1;
    },
    rejected: ({ name, operation, type, errorType, code }) =>
      void (rejections.with(errorType, name, operation, codeText(code), type).value += 1),
    failedOpen: ({ name, type }) => void (failedOpen.with(name, type).value += 1),
    excluded: ({ name, kind, operation, type }) =>
      void (exclusions.with(kind, name, operation, type).value += 1),
    conditionFailed: ({ name, kind, operation, type }) =>
      void (failures.with(kind, name, operation, type).value += 1),
    conditionsJudged: ({ name, kind, operation, type, seconds }) =>
      judgements.with(kind, name, operation, type).observe(seconds),
  };
}

/** From the cheapest expressions there are to those that the limit of cost just lets through. */
const policyBounds = [0.0000005, 0.001, 0.01, 0.1, 1];

function policyObserver(registry: MetricsRegistry): Pick<DynamicObserver, "validated" | "mutated"> {
  const familiesOf = (kind: string, { stability, labels }: Pick<Description, "stability" | "labels">) => {
    const common = { ...(stability ? { stability } : {}), labels: labels ?? [] };
    const name = `apiserver_${kind}_admission_policy_check`;
    return {
      checks: registry.counter({
        name: `${name}_total`,
        help: `Checks of ${kind} admission policies.`,
        ...common,
      }),
      durations: registry.histogram(
        {
          name: `${name}_duration_seconds`,
          help: `Time that single expressions of ${kind} admission policies take, in seconds.`,
          ...common,
        },
        policyBounds,
      ),
    };
  };
  const validating = familiesOf("validating", {
    stability: "BETA",
    labels: ["enforcement_action", "error_type", "policy", "policy_binding"],
  });
  const mutating = familiesOf("mutating", { labels: ["error_type", "policy", "policy_binding"] });
  return {
    validated({ action, errorType, policy, binding, seconds }) {
      validating.checks.with(action, errorType, policy, binding).value += 1;
      validating.durations.with(action, errorType, policy, binding).observe(seconds);
    },
    mutated({ errorType, policy, binding, seconds }) {
      mutating.checks.with(errorType, policy, binding).value += 1;
      mutating.durations.with(errorType, policy, binding).observe(seconds);
    },
  };
}
