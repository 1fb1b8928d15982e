import type { Volume } from "../../../api/types/core-v1.ts";
import { addedBeyond, isSeccompType, procMount, seccompTypes } from "./baseline.ts";
import {
  badSetters,
  containerCheck,
  containersText,
  namesOf,
  plural,
  quoteAll,
  setterCheck,
  sortedSet,
  unlessOwnUsers,
} from "./checks.ts";
import type { Check, Judge, JudgedPod } from "./checks.ts";

const noEscalation = containerCheck({
  isBad: ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  reason: "allowPrivilegeEscalation != false",
  must: "must set securityContext.allowPrivilegeEscalation=false",
});

const runAsUser = setterCheck({
  isBad: (context) => context.runAsUser === 0,
  reason: "runAsUser=0",
  mustNot: "runAsUser=0",
});

/** What holds pods to the best practices of hardening. In the order in which upstream tells of them. */
export const restrictedChecks: readonly Check[] = [
  {
    id: "allowPrivilegeEscalation",
    level: "restricted",
    versions: [
      { since: 8, judge: noEscalation },
      // On Windows there is nothing of the kind.
      { since: 25, judge: unlessWindows(noEscalation) },
    ],
  },
  {
    id: "capabilities_restricted",
    level: "restricted",
    overrides: "capabilities_baseline",
    versions: [
      { since: 22, judge: droppedCapabilities },
      { since: 25, judge: unlessWindows(droppedCapabilities) },
    ],
  },
  {
    id: "procMount_restricted",
    level: "restricted",
    overrides: "procMount",
    versions: [{ since: 35, judge: procMount }],
  },
  {
    id: "restrictedVolumes",
    level: "restricted",
    overrides: "hostPathVolumes",
    versions: [{ since: 0, judge: volumeTypes }],
  },
  {
    id: "runAsNonRoot",
    level: "restricted",
    versions: [
      { since: 0, judge: runAsNonRoot },
      { since: 35, judge: unlessOwnUsers(runAsNonRoot) },
    ],
  },
  {
    id: "runAsUser",
    level: "restricted",
    versions: [
      { since: 23, judge: runAsUser },
      { since: 35, judge: unlessOwnUsers(runAsUser) },
    ],
  },
  {
    id: "seccompProfile_restricted",
    level: "restricted",
    overrides: "seccompProfile_baseline",
    versions: [
      { since: 19, judge: seccompProfile },
      { since: 25, judge: unlessWindows(seccompProfile) },
    ],
  },
];

function unlessWindows(judge: Judge): Judge {
  return (pod) => (pod.spec.os?.name === "windows" ? undefined : judge(pod));
}

function droppedCapabilities(pod: JudgedPod): ReturnType<Judge> {
  const keeping = namesOf(
    pod,
    ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes("ALL"),
  );
  const allowed = new Set(["NET_BIND_SERVICE"]);
  const reason = "unrestricted capabilities";
  const adding = addedBeyond(pod, { allowed, reason })?.detail;
  const details = [
    ...(keeping.length > 0
      ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding === undefined ? [] : [adding]),
  ];
  return details.length === 0 ? undefined : { reason, detail: details.join("; ") };
}

const plainVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
/** Names under which upstream tells of sources, where they differ from the field's. */
const toldAs: Readonly<Record<string, string>> = { cephfs: "cephFS" };

function volumeTypes({ spec }: JudgedPod): ReturnType<Judge> {
  const typeOf = (volume: Volume) => Object.keys(volume).find((field) => field !== "name") ?? "unknown";
  const bad = (spec.volumes ?? []).filter((volume) => !plainVolumes.has(typeOf(volume)));
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map((volume) => toldAs[typeOf(volume)] ?? typeOf(volume)));
  const names = quoteAll(bad.map(({ name }) => name));
  const use = bad.length === 1 ? "uses" : "use";
  const what = plural("restricted volume type", types.length);
  return {
    reason: "restricted volume types",
    detail: `${plural("volume", bad.length)} ${names} ${use} ${what} ${quoteAll(types)}`,
  };
}

function runAsNonRoot(pod: JudgedPod): ReturnType<Judge> {
  const reason = "runAsNonRoot != true";
  const setters = badSetters(pod, (context) => context.runAsNonRoot === false);
  if (setters.length > 0) {
    return { reason, detail: `${setters.join(" and ")} must not set securityContext.runAsNonRoot=false` };
  }
  if (pod.spec.securityContext?.runAsNonRoot) return undefined;
  const silent = namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true`,
  };
}

function seccompProfile(pod: JudgedPod): ReturnType<Judge> {
  const wrong = seccompTypes(pod);
  if (wrong) return wrong;
  if (isSeccompType(pod.spec.securityContext?.seccompProfile?.type)) return undefined;
  const silent = namesOf(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
}
