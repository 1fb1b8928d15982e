import type { Core } from "../../registry/context.ts";
import type { MetricsRegistry } from "./registry.ts";

/** Prometheus' own, as upstream names none. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const millisecondsPerSecond = 1_000;

/** Tells what the rules of custom resources take. */
export function observeRules(registry: MetricsRegistry, core: Pick<Core, "ruleUse">): void {
  const timesOf = (step: string, help: string) =>
    registry.histogram({ name: `apiserver_cel_${step}_duration_seconds`, help, labels: [] }, bounds).with();
  const compilations = timesOf("compilation", "Time that compiling the rules of a schema takes, in seconds.");
  const evaluations = timesOf("evaluation", "Time that judging an object by its rules takes, in seconds.");
  core.ruleUse.observer = {
    now: () => performance.now() / millisecondsPerSecond,
    compiled: (seconds) => compilations.observe(seconds),
    evaluated: (seconds) => evaluations.observe(seconds),
  };
}
