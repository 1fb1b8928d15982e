import { baselineChecks } from "./baseline.ts";
import type { Check, Judge, JudgedPod, Violation } from "./checks.ts";
import type { LevelVersion } from "./policy.ts";
import { restrictedChecks } from "./restricted.ts";

/** All that forbids the pod at the level, in upstream's order. */
export function evaluate(pod: JudgedPod, { level, version }: LevelVersion): readonly Violation[] {
  if (level === "privileged") return [];
  const minor = version === "latest" ? Number.POSITIVE_INFINITY : version;
  return judgesOf(level, minor).flatMap((judge) => judge(pod) ?? []);
}

/** The checks of a level as they were at a minor version. */
function judgesOf(level: "baseline" | "restricted", minor: number): readonly Judge[] {
  const restricted = level === "restricted" ? restrictedChecks : [];
  const overridden = new Set(
    restricted.filter((check) => judgeAt(check, minor)).map(({ overrides }) => overrides),
  );
  const baseline = baselineChecks.filter(({ id }) => !overridden.has(id));
  return [...baseline, ...restricted].flatMap((check) => judgeAt(check, minor) ?? []);
}

const judgeAt = ({ versions }: Check, minor: number): Judge | undefined =>
  versions.findLast(({ since }) => since <= minor)?.judge;

/** `host namespaces (hostPID), privileged (container "c" …)` */
export const violationsText = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");

/** The same without the details. */
export const reasonsText = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(", ");
