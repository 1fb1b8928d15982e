import { FieldPath, fieldErrors } from "../../../apimachinery/index.ts";
import type { FieldError } from "../../../apimachinery/index.ts";

/** How strict: each level holds pods to all that the one before it does. */
export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** The minor version of Kubernetes whose checks apply. */
export type PolicyVersion = number | "latest";

/** A level as one version of Kubernetes knew it. */
export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}

export type Mode = "enforce" | "audit" | "warn";
const modes: readonly Mode[] = ["enforce", "audit", "warn"];

/** What a namespace asks of its pods. */
export type Policy = Readonly<Record<Mode, LevelVersion>>;

const prefix = "pod-security.kubernetes.io/";
const privileged: LevelVersion = { level: "privileged", version: "latest" };

/** The policy of namespaces that say nothing. */
export const privilegedPolicy: Policy = { enforce: privileged, audit: privileged, warn: privileged };

/** `restricted:v1.30` */
export const levelVersionText = ({ level, version }: LevelVersion): string =>
  `${level}:${version === "latest" ? version : `v1.${version}`}`;

export const sameLevelVersion = (one: LevelVersion, other: LevelVersion): boolean =>
  one.level === other.level && one.version === other.version;

/** The policy that labels ask for, and what is wrong with them; a level that cannot be read is enforced as restricted. */
export function policyOfLabels(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  if (!labels) return { policy: defaults, errors: [] };
  const errors: FieldError[] = [];
  const refuse = (label: string, why: string) => {
    const path = FieldPath.root("metadata").child("labels").key(label);
    errors.push(fieldErrors.invalid(path, labels[label], why));
  };
  const policy: Record<Mode, LevelVersion> = { ...defaults };
  for (const mode of modes) {
    const levelLabel = prefix + mode;
    const versionLabel = `${levelLabel}-version`;
    const levelText = labels[levelLabel];
    const versionText = labels[versionLabel];
    if (levelText === undefined && versionText === undefined) continue;
    let { level, version } = defaults[mode];
    if (levelText !== undefined) {
      const known = levels.find((candidate) => candidate === levelText);
      if (!known) refuse(levelLabel, `must be one of ${levels.join(", ")}`);
      // Only enforcement fails closed.
      level = known ?? (mode === "enforce" ? "restricted" : "privileged");
    }
    if (versionText !== undefined) {
      const known = versionOf(versionText);
      if (known === undefined) refuse(versionLabel, 'must be "latest" or "v1.x"');
      version = known ?? "latest";
    }
    policy[mode] = { level, version };
  }
  return { policy, errors };
}

function versionOf(text: string): PolicyVersion | undefined {
  if (text === "latest") return text;
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
