import type { FieldError, FieldPath, ObjectMeta } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile, Toleration } from "../../types/core-v1.ts";
import { validateLocalPath } from "./paths.ts";
import { validateTolerations } from "./validate-scheduling.ts";
import { visitContainers } from "./visit.ts";

/** Marks the pods that show a node's static ones. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";
/** What stood for `appArmorProfile` before; a container's name follows. */
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
/** What stood for `seccompProfile` before: of the pod, and, with its name behind, of a container. */
export const seccompAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
export const seccompPrefix = "container.seccomp.security.alpha.kubernetes.io/";
const tolerationsAnnotation = "scheduler.alpha.kubernetes.io/tolerations";
const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const localhostPrefix = "localhost/";
const largestInt32 = 2147483647;

type Annotations = Readonly<Record<string, string>>;

/** Checks annotations that mean something to pods. */
export function validatePodAnnotations(
  annotations: Annotations | undefined,
  spec: PodSpec,
  path: FieldPath,
): FieldError[] {
  if (annotations === undefined) return [];
  const errors: FieldError[] = [];
  const mirror = annotations[mirrorAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const why = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(fieldErrors.invalid(path.key(mirrorAnnotation), mirror, why));
  }
  const tolerations = annotations[tolerationsAnnotation];
  if (tolerations) errors.push(...validateTolerationsText(tolerations, path));
  const cost = annotations[deletionCostAnnotation];
  if (cost !== undefined && !isInt32(cost)) {
    const at = path.key(deletionCostAnnotation);
    errors.push(fieldErrors.invalid(at, cost, "must be a 32bit integer"));
  }
  for (const [key, value] of Object.entries(annotations)) {
    if (key === seccompAnnotation || key.startsWith(seccompPrefix)) {
      errors.push(...validateSeccompText(value, path.child(key)));
    }
  }
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(appArmorPrefix)) continue;
    const name = key.slice(appArmorPrefix.length);
    if (!hasContainer(spec, name)) {
      errors.push(fieldErrors.invalid(path.key(key), name, "container not found"));
    }
    if (!/^(?:$|runtime\/default$|unconfined$|localhost\/)/.test(value)) {
      errors.push(fieldErrors.invalid(path.key(key), value, `invalid AppArmor profile name: "${value}"`));
    }
  }
  return errors;
}

/** Checks that profiles in annotations and in fields are the same where there are both. */
export function validateProfilesMatch(
  metadata: Partial<ObjectMeta> | undefined,
  spec: PodSpec,
  path: FieldPath,
): FieldError[] {
  const annotations = metadata?.annotations;
  if (annotations === undefined) return [];
  const seccomp: FieldError[] = [];
  const appArmor: FieldError[] = [];
  const compare = (field: SeccompProfile | undefined, key: string, at: FieldPath) => {
    const text = annotations[key];
    if (!field || text === undefined) return;
    seccomp.push(...compareProfile(field, text, { what: "seccomp", at: at.child("seccompProfile") }));
  };
  compare(spec.securityContext?.seccompProfile, seccompAnnotation, path.child("securityContext"));
  visitContainers(spec, path, (container, place) => {
    const at = place.child("securityContext");
    const context = container.securityContext;
    compare(context?.seccompProfile, `${seccompPrefix}${container.name}`, at);
    const profile = context?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    const text = annotations[`${appArmorPrefix}${container.name}`];
    if (!profile || text === undefined || spec.os?.name === "windows") return;
    appArmor.push(...compareProfile(profile, text, { what: "apparmor", at: at.child("appArmorProfile") }));
  });
  return [...seccomp, ...appArmor];
}

/** Checks that an update leaves alone the annotations that say what a pod is. */
export function validateAnnotationsUpdate(
  next: Annotations | undefined,
  old: Annotations | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = (key: string) =>
    key === mirrorAnnotation
      ? "mirror pod annotation"
      : key.startsWith(appArmorPrefix)
        ? "AppArmor annotations"
        : undefined;
  for (const key of Object.keys(old ?? {})) {
    const name = names(key);
    if (name === undefined || next?.[key] === old?.[key]) continue;
    errors.push(fieldErrors.forbidden(path.key(key), `may not remove or update ${name}`));
  }
  for (const key of Object.keys(next ?? {})) {
    const name = names(key);
    if (name === undefined || old?.[key] !== undefined) continue;
    errors.push(fieldErrors.forbidden(path.key(key), `may not add ${name}`));
  }
  return errors;
}

function compareProfile(
  profile: SeccompProfile | AppArmorProfile,
  text: string,
  { what, at }: { readonly what: "seccomp" | "apparmor"; readonly at: FieldPath },
): FieldError[] {
  const differs = (field: "type" | "localhostProfile") => {
    const which = field === "type" ? "type" : "profile";
    return [fieldErrors.forbidden(at.child(field), `${what} ${which} in annotation and field must match`)];
  };
  switch (profile.type) {
    case "Unconfined":
      return text === "unconfined" ? [] : differs("type");
    case "RuntimeDefault":
      return text === "runtime/default" || (what === "seccomp" && text === "docker/default")
        ? []
        : differs("type");
    case "Localhost":
      if (!text.startsWith(localhostPrefix)) return differs("type");
      return text.slice(localhostPrefix.length) === profile.localhostProfile
        ? []
        : differs("localhostProfile");
    default:
      return [];
  }
}

function validateTolerationsText(text: string, path: FieldPath): FieldError[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [fieldErrors.invalid(path, tolerationsAnnotation, why)];
  }
  return Array.isArray(value)
    ? validateTolerations(value as readonly Toleration[], path.child(tolerationsAnnotation))
    : [];
}

function validateSeccompText(text: string, path: FieldPath): FieldError[] {
  if (["runtime/default", "docker/default", "unconfined"].includes(text)) return [];
  return text.startsWith(localhostPrefix)
    ? validateLocalPath(text.slice(localhostPrefix.length), path)
    : [fieldErrors.invalid(path, text, "must be a valid seccomp profile")];
}

function isInt32(text: string): boolean {
  return (
    /^(?:0|-?[1-9][0-9]*)$/.test(text) && Number(text) <= largestInt32 && Number(text) >= -largestInt32 - 1
  );
}

const hasContainer = (spec: PodSpec, name: string) =>
  [spec.initContainers, spec.containers, spec.ephemeralContainers].some((list) =>
    list?.some((container) => container.name === name),
  );
