import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isConfigMapKey, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { internalForm } from "../common/internal-form.ts";
import type { ConfigMapNodeConfigSource, NodeConfigSource, NodeConfigStatus } from "../types/core-v1.ts";

/** Checks where a node was told to take its kubelet's configuration from: a feature that is gone. */
export function validateNodeConfig(source: NodeConfigSource, path: FieldPath): FieldError[] {
  return validateSource(source, path, (map, at) => [
    ...(map.uid ? [fieldErrors.forbidden(at.child("uid"), "uid must not be set in spec")] : []),
    ...(map.resourceVersion
      ? [fieldErrors.forbidden(at.child("resourceVersion"), "resourceVersion must not be set in spec")]
      : []),
  ]);
}

/** Checks what a node said of its kubelet's configuration. */
export function validateReportedConfig(config: NodeConfigStatus, path: FieldPath): FieldError[] {
  return (["assigned", "active", "lastKnownGood"] as const).flatMap((field) => {
    const source = config[field];
    if (!source) return [];
    return validateSource(source, path.child(field), (map, at) =>
      (["uid", "resourceVersion"] as const).flatMap((name) =>
        map[name] ? [] : [fieldErrors.required(at.child(name), `${name} must be set in status`)],
      ),
    );
  });
}

function validateSource(
  source: NodeConfigSource,
  path: FieldPath,
  check: (map: ConfigMapNodeConfigSource, path: FieldPath) => FieldError[],
): FieldError[] {
  const { configMap } = source;
  if (!configMap) {
    const shown = internalForm(source, ["configMap"]);
    return [fieldErrors.invalid(path, shown, "exactly one reference subfield must be non-nil")];
  }
  const at = path.child("configMap");
  return [...check(configMap, at), ...validateReference(configMap, at)];
}

const referenceRules = [
  ["namespace", isDNS1123Label],
  ["name", isDNS1123Subdomain],
  ["kubeletConfigKey", isConfigMapKey],
] as const;

function validateReference(map: ConfigMapNodeConfigSource, path: FieldPath): FieldError[] {
  return referenceRules.flatMap(([field, rule]) => {
    const value = map[field];
    const at = path.child(field);
    return value ? invalidFor(at, value, rule(value)) : [fieldErrors.required(at, `${field} must be set`)];
  });
}
