import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { inRange, optionalOneOf } from "../../common/checks.ts";
import { internalForm } from "../../common/internal-form.ts";
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../types/core-v1.ts";
import { validateLocalPath } from "./paths.ts";
import { validateWindowsOptions } from "./validate-windows.ts";

const identifiers = { from: 0, to: 2147483647 };
const longestSysctl = 253;
const sysctlPattern = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const sysctlExpression = new RegExp(sysctlPattern);
const longestAppArmorProfile = 4095;
const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

/** Checks who the processes of a pod are and what they may do. */
export function validatePodSecurity(spec: PodSpec, path: FieldPath): FieldError[] {
  const context = spec.securityContext;
  const errors: FieldError[] = [];
  if (context) {
    errors.push(
      ...inRange(path.child("fsGroup"), context.fsGroup, identifiers),
      ...inRange(path.child("runAsUser"), context.runAsUser, identifiers),
      ...inRange(path.child("runAsGroup"), context.runAsGroup, identifiers),
      ...(context.supplementalGroups ?? []).flatMap((group, index) =>
        inRange(path.child("supplementalGroups").index(index), group, identifiers),
      ),
    );
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(fieldErrors.invalid(path.child("shareProcessNamespace"), true, why));
  }
  if (!context) return errors;
  if (context.sysctls?.length) errors.push(...validateSysctls(spec, context, path.child("sysctls")));
  errors.push(
    ...optionalOneOf(path.child("fsGroupChangePolicy"), context.fsGroupChangePolicy, [
      "Always",
      "OnRootMismatch",
    ]),
    ...validateSeccomp(context.seccompProfile, path.child("seccompProfile")),
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...validateAppArmor(context.appArmorProfile, path.child("appArmorProfile")),
    ...optionalOneOf(path.child("supplementalGroupsPolicy"), context.supplementalGroupsPolicy, [
      "Merge",
      "Strict",
    ]),
    ...optionalOneOf(path.child("seLinuxChangePolicy"), context.seLinuxChangePolicy, [
      "MountOption",
      "Recursive",
    ]),
  );
  return errors;
}

/** Fields of a container's security context as upstream shows them in messages. */
const contextFields = [
  "capabilities",
  "privileged",
  "seLinuxOptions",
  "windowsOptions",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "readOnlyRootFilesystem",
  "allowPrivilegeEscalation",
  "procMount",
  "seccompProfile",
  "appArmorProfile",
];

/** Checks who a container's processes are and what they may do. */
export function validateContainerSecurity(
  context: SecurityContext | undefined,
  path: FieldPath,
  options: { readonly hostUsers: boolean },
): FieldError[] {
  if (context === undefined) return [];
  const { procMount } = context;
  const errors = [
    ...inRange(path.child("runAsUser"), context.runAsUser, identifiers),
    ...inRange(path.child("runAsGroup"), context.runAsGroup, identifiers),
    ...optionalOneOf(path.child("procMount"), procMount, ["Default", "Unmasked"]),
  ];
  if (options.hostUsers && procMount === "Unmasked") {
    const why = "`hostUsers` must be false to use `Unmasked`";
    errors.push(fieldErrors.invalid(path.child("procMount"), procMount, why));
  }
  errors.push(...validateSeccomp(context.seccompProfile, path.child("seccompProfile")));
  if (context.allowPrivilegeEscalation === false) {
    const contradicts = (what: string) =>
      fieldErrors.invalid(
        path,
        internalForm(context, contextFields),
        `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
      );
    if (context.privileged === true) errors.push(contradicts("`privileged` to true"));
    for (const capability of context.capabilities?.add ?? []) {
      if (capability === "CAP_SYS_ADMIN") errors.push(contradicts("`capabilities.Add` CAP_SYS_ADMIN"));
    }
  }
  errors.push(
    ...validateWindowsOptions(context.windowsOptions, path.child("windowsOptions")),
    ...validateAppArmor(context.appArmorProfile, path.child("appArmorProfile")),
  );
  return errors;
}

function validateSeccomp(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = path.child("localhostProfile");
  const errors = !type
    ? [fieldErrors.required(path.child("type"), "type is required when seccompProfile is set")]
    : optionalOneOf(path.child("type"), type, profileTypes);
  if (type === "Localhost") {
    return localhostProfile === undefined
      ? [...errors, fieldErrors.required(at, "must be set when seccomp type is Localhost")]
      : [...errors, ...validateLocalPath(localhostProfile, at)];
  }
  if (localhostProfile === undefined) return errors;
  const shown = internalForm(profile, ["type", "localhostProfile"]);
  return [...errors, fieldErrors.invalid(at, shown, "can only be set when seccomp type is Localhost")];
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = path.child("localhostProfile");
  switch (type) {
    case "Localhost": {
      const missing = "must be set when AppArmor type is Localhost";
      if (localhostProfile === undefined) return [fieldErrors.required(at, missing)];
      const errors: FieldError[] = [];
      if (localhostProfile.trim() !== localhostProfile) {
        errors.push(fieldErrors.invalid(at, localhostProfile, "must not be padded with whitespace"));
      } else if (localhostProfile === "") errors.push(fieldErrors.required(at, missing));
      if (localhostProfile.length > longestAppArmorProfile) {
        errors.push(fieldErrors.tooLong(at, longestAppArmorProfile));
      }
      return errors;
    }
    case "RuntimeDefault":
    case "Unconfined":
      return localhostProfile === undefined
        ? []
        : [fieldErrors.invalid(at, localhostProfile, "can only be set when AppArmor type is Localhost")];
    default:
      return type
        ? [fieldErrors.notSupported(path.child("type"), type, profileTypes)]
        : [fieldErrors.required(path.child("type"), "type is required when appArmorProfile is set")];
  }
}

function validateSysctls(spec: PodSpec, context: PodSecurityContext, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name = "" }] of (context.sysctls ?? []).entries()) {
    const at = path.index(index).child("name");
    if (name === "") errors.push(fieldErrors.required(at));
    else if (name.length > longestSysctl || !sysctlExpression.test(name)) {
      const why = `must have at most ${longestSysctl} characters and match regex ${sysctlPattern}`;
      errors.push(fieldErrors.invalid(at, name, why));
    } else if (names.has(name)) errors.push(fieldErrors.duplicate(at, name));
    names.add(name);
    const scope = sysctlScope(name);
    if (spec.hostNetwork === true && scope === "network") {
      errors.push(fieldErrors.invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC === true && scope === "ipc") {
      errors.push(fieldErrors.invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
  }
  return errors;
}

/** The namespace that a setting of the kernel belongs to; its parts may be joined with slashes instead of dots. */
function sysctlScope(name: string): "network" | "ipc" | undefined {
  const separator = /[./]/.exec(name)?.[0];
  const dotted =
    separator === "/" ? name.replace(/[./]/g, (character) => (character === "/" ? "." : "/")) : name;
  if (dotted.startsWith("net.")) return "network";
  return dotted === "kernel.sem" || /^kernel\.(?:shm|msg)/.test(dotted) || dotted.startsWith("fs.mqueue.")
    ? "ipc"
    : undefined;
}
