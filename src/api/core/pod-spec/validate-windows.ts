import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Subdomain } from "../../../apimachinery/index.ts";
import { invalidFor } from "../../common/checks.ts";
import type {
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  WindowsSecurityContextOptions,
} from "../../types/core-v1.ts";
import { visitContainers } from "./visit.ts";

const systems = ["linux", "windows"];
const specKiB = 64;
const longestDomain = 256;
const longestUser = 104;
const control = /\p{Cc}/u;
const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const dnsDomain = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);

/** Checks the options of Windows' security. */
export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: FieldPath,
): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  const errors =
    name === undefined
      ? []
      : invalidFor(path.child("gmsaCredentialSpecName"), name, isDNS1123Subdomain(name));
  if (spec !== undefined) {
    const at = path.child("gmsaCredentialSpec");
    if (spec === "") {
      errors.push(fieldErrors.invalid(at, spec, "gmsaCredentialSpec cannot be an empty string"));
    } else if (spec.length > specKiB * 1024) {
      errors.push(fieldErrors.invalid(at, spec, `gmsaCredentialSpec size must be under ${specKiB} KiB`));
    }
  }
  if (user !== undefined) {
    const at = path.child("runAsUserName");
    errors.push(...userProblems(user).map((problem) => fieldErrors.invalid(at, user, problem)));
  }
  return errors;
}

function userProblems(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (control.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const [domain, user] = parts.length === 1 ? [undefined, parts[0] ?? ""] : [parts[0] ?? "", parts[1] ?? ""];
  const problems: string[] = [];
  if ((domain ?? "").length >= longestDomain) {
    problems.push(`runAsUserName's Domain length must be under ${longestDomain} characters`);
  }
  if (domain !== undefined && !netBios.test(domain) && !dnsDomain.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") problems.push("runAsUserName's User cannot be empty");
  else if (user.length > longestUser) {
    problems.push(`runAsUserName's User length must not be longer than ${longestUser} characters`);
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return problems;
}

/** Checks that containers which are processes of a Windows host are so together. */
export function validateHostProcess(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let onHost = 0;
  visitContainers(spec, path, (container, at) => {
    all++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      const place = at.child("securityContext", "windowsOptions", "hostProcess");
      errors.push(fieldErrors.invalid(place, own, why));
    }
    if (own ?? ofPod) onHost++;
  });
  if (onHost === 0) return errors;
  if (onHost !== all) {
    const why =
      "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(fieldErrors.invalid(path, "", why));
  }
  if (spec.hostNetwork !== true) {
    const why = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(fieldErrors.invalid(path.child("hostNetwork"), false, why));
  }
  return errors;
}

const hostFields = ["hostUsers", "hostPID", "hostIPC"] as const;
const podFieldsAfter: readonly (keyof PodSecurityContext)[] = [
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
];
const podFieldsLast: readonly (keyof PodSecurityContext)[] = [
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
];
const containerFields: readonly (keyof SecurityContext)[] = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
];

/** Checks the operating system that a pod asks for, and that it asks for nothing of another. */
export function validateSystem(spec: PodSpec, path: FieldPath): FieldError[] {
  const name = spec.os?.name;
  if (spec.os === undefined) return [];
  if (!name) return [fieldErrors.required(path.child("os", "name"), "cannot be empty")];
  if (!systems.includes(name)) return [fieldErrors.notSupported(path.child("os"), name, systems)];
  return name === "linux" ? validateLinux(spec, path) : validateWindows(spec, path);
}

function validateLinux(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const check = (context: PodSecurityContext | SecurityContext | undefined, at: FieldPath) => {
    if (!context?.windowsOptions) return;
    const why = "windows options cannot be set for a linux pod";
    errors.push(fieldErrors.forbidden(at.child("securityContext", "windowsOptions"), why));
  };
  check(spec.securityContext, path);
  visitContainers(spec, path, (container, at) => check(container.securityContext, at));
  return errors;
}

function validateWindows(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (at: FieldPath) => errors.push(fieldErrors.forbidden(at, "cannot be set for a windows pod"));
  const refuseAny = <C extends object>(
    context: C | undefined,
    fields: readonly (keyof C & string)[],
    at: FieldPath,
  ) => {
    for (const field of fields) {
      const value = context?.[field];
      if (value === undefined || (field === "sysctls" && Array.isArray(value) && value.length === 0))
        continue;
      refuse(at.child("securityContext", field));
    }
  };
  refuseAny(spec.securityContext, ["appArmorProfile", "seLinuxOptions"], path);
  for (const field of hostFields) {
    // False is as good as nothing, but not for users: there it asks for a namespace.
    if (field === "hostUsers" ? spec[field] !== undefined : spec[field] === true) refuse(path.child(field));
  }
  refuseAny(spec.securityContext, podFieldsAfter, path);
  if (spec.shareProcessNamespace !== undefined) refuse(path.child("shareProcessNamespace"));
  refuseAny(spec.securityContext, podFieldsLast, path);
  visitContainers(spec, path, (container, at) => refuseAny(container.securityContext, containerFields, at));
  return errors;
}
