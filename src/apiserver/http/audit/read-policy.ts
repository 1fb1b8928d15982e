import { fieldErrorMessage, fieldErrors, FieldPath } from "../../../apimachinery/index.ts";
import type { FieldError } from "../../../apimachinery/index.ts";
import { DecodeError, readYaml } from "../../../apimachinery/codec/index.ts";
import { auditLevels, auditStages } from "./policy.ts";
import type { AuditedResources, AuditPolicy, AuditRule } from "./policy.ts";

const apiVersion = "audit.k8s.io/v1";

/** The policy that a file holds; throws with why it holds none. */
export async function readAuditPolicy(text: string): Promise<AuditPolicy> {
  const policy = await parsed(text);
  if (policy.apiVersion !== apiVersion || policy.kind !== "Policy") {
    const { apiVersion: version = "", kind = "" } = policy;
    throw new Error(`unknown group version field ${version}, Kind=${kind} in policy`);
  }
  const errors = [
    ...stageErrors(policy.omitStages ?? [], FieldPath.root("omitStages")),
    ...(policy.rules ?? []).flatMap((rule, index) => ruleErrors(rule, FieldPath.root("rules").index(index))),
  ];
  if (errors.length > 0) {
    const messages = errors.map((error) => `${error.field}: ${fieldErrorMessage(error)}`);
    throw new Error(messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`);
  }
  if ((policy.rules ?? []).length === 0) throw new Error("loaded illegal policy with 0 rules");
  return policy as AuditPolicy;
}

type Unchecked = Partial<AuditPolicy> & { readonly apiVersion?: string; readonly kind?: string };

async function parsed(text: string): Promise<Unchecked> {
  try {
    const { value } = await readYaml(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    if (error instanceof DecodeError) throw new Error(`failed decoding: ${error.message}`, { cause: error });
    throw error;
  }
}

function ruleErrors(rule: AuditRule, path: FieldPath): readonly FieldError[] {
  const { level, nonResourceURLs = [], resources = [], namespaces = [], omitStages = [] } = rule;
  const at = path.child("nonResourceURLs");
  return [
    ...levelErrors(level, path.child("level")),
    ...nonResourceURLs.flatMap((url, index) => urlErrors(url, at.index(index))),
    ...resources.flatMap((one, index) => resourceErrors(one, path.child("resources").index(index))),
    ...stageErrors(omitStages, path.child("omitStages")),
    ...(nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)
      ? [
          fieldErrors.invalid(
            at,
            nonResourceURLs,
            "rules cannot apply to both regular resources and non-resource URLs",
          ),
        ]
      : []),
  ];
}

function levelErrors(level: string | undefined, path: FieldPath): readonly FieldError[] {
  if (level === undefined || level === "") return [fieldErrors.required(path, "")];
  return (auditLevels as readonly string[]).includes(level)
    ? []
    : [fieldErrors.notSupported(path, level, auditLevels)];
}

function urlErrors(url: string, path: FieldPath): readonly FieldError[] {
  if (url === "*") return [];
  if (!url.startsWith("/")) {
    return [fieldErrors.invalid(path, url, "non-resource URL rules must begin with a '/' character")];
  }
  return url.slice(0, -1).includes("*")
    ? [
        fieldErrors.invalid(
          path,
          url,
          "non-resource URL wildcards '*' must be the final character of the rule",
        ),
      ]
    : [];
}

function resourceErrors(
  { group = "", resources = [], resourceNames = [] }: AuditedResources,
  path: FieldPath,
) {
  const errors: FieldError[] = [];
  // A version is no group.
  if (group.includes("/")) {
    errors.push(
      fieldErrors.invalid(
        path.child("group"),
        group,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ),
    );
  }
  if (resourceNames.length > 0 && resources.length === 0) {
    const why = "using resourceNames requires at least one resource";
    errors.push(fieldErrors.invalid(path.child("resourceNames"), resourceNames, why));
  }
  return errors;
}

const stageErrors = (stages: readonly string[], path: FieldPath): readonly FieldError[] =>
  stages.flatMap((stage, index) =>
    (auditStages as readonly string[]).includes(stage)
      ? []
      : [fieldErrors.invalid(path.index(index), stage, `allowed stages are ${auditStages.join(",")}`)],
  );
