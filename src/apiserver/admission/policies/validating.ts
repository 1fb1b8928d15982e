import { ApiError } from "../../../apimachinery/index.ts";
import type { JsonObject, KubernetesObject, Resource } from "../../../apimachinery/index.ts";
import { Namespace } from "../../../api/types/core-v1.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import { activationOf } from "../dynamic/activation.ts";
import { attributesOf } from "../dynamic/attributes.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { isExempt } from "../dynamic/rules.ts";
import { objectsShown } from "../dynamic/shown.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../plugin.ts";
import { refused } from "../request.ts";
import type { CompiledBinding } from "./compile.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { PolicyResult } from "./evaluate.ts";
import { shownInScope } from "./match.ts";
import { PolicyConfigurationError, paramResource, paramsOf } from "./params.ts";
import { PolicySource } from "./source.ts";
import type { BoundPolicy } from "./source.ts";

/** What policies are applied with. */
export interface PolicyParts {
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  readonly authorizer: Authorizer;
}

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

const longestAnnotation = 10 * 1024;
const failureKey = "validation.policy.admission.k8s.io/validation_failure";

/** Applies the policies that validate, as far as they are bound. */
export function validatingPolicies(parts: PolicyParts): AdmissionPlugin {
  const source = new PolicySource(parts.reader);
  return {
    name: "ValidatingAdmissionPolicy",
    operations: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
    validate(request) {
      const policies = source.all();
      if (policies.length === 0 || isExempt(request.resource)) return;
      const attributes = attributesOf(request, parts.served);
      if (!attributes) return;
      const denials = policies.flatMap((policy) => applyPolicy(policy, attributes, parts));
      const [first] = denials;
      if (first) throw denialError(request, first);
    },
  };
}

function applyPolicy(
  { compiled, bindings }: BoundPolicy,
  attributes: Attributes,
  parts: PolicyParts,
): readonly Denial[] {
  const { policy, scope } = compiled;
  const { metadata, spec } = policy;
  const misconfigured = (error: unknown, binding?: string): readonly Denial[] => {
    if (!(error instanceof PolicyConfigurationError || error instanceof ApiError)) throw error;
    if (spec.failurePolicy === "Ignore") return [];
    const what = binding === undefined ? "policy" : "binding";
    const message = `failed to configure ${what}: ${error.message}`;
    return [{ policy: metadata.name, binding, message, reason: "" }];
  };
  let shown: Shown | undefined;
  let resource: Resource | undefined;
  try {
    shown = shownInScope(scope, { attributes, ...parts });
    if (!shown) return [];
    resource = spec.paramKind && paramResource(spec.paramKind, parts.served).resource;
  } catch (error) {
    return misconfigured(error);
  }
  const annotations = new Map<string, Set<string>>();
  const denials: Denial[] = [];
  for (const bound of bindings) {
    const { name } = bound.binding.metadata;
    let params: readonly (KubernetesObject | null)[];
    try {
      if (!shownInScope(bound.scope, { attributes, ...parts })) continue;
      const { namespace } = attributes;
      params = paramsOf(bound.binding.spec.paramRef, { resource, namespace, reader: parts.reader });
    } catch (error) {
      denials.push(...misconfigured(error, name));
      continue;
    }
    const hasParams = spec.paramKind !== undefined;
    for (const param of params) {
      const activation = activationOf(attributes, {
        shown,
        objects: objectsShown(attributes, shown),
        authorizer: parts.authorizer,
        namespace: namespaceOf(attributes, parts.reader),
        ...(hasParams ? { params: param } : {}),
      });
      const result = evaluatePolicy(compiled, activation);
      denials.push(...act(result, { bound, policy: metadata.name, request: attributes.request }));
      for (const { key, value } of result.annotations) {
        const values = annotations.get(key) ?? new Set();
        annotations.set(key, values.add(value.slice(0, longestAnnotation)));
      }
    }
  }
  for (const [key, values] of annotations) {
    attributes.request.annotate?.(`${metadata.name}/${key}`, [...values].join(", "));
  }
  return denials;
}

/** The namespace of a request; a namespace itself is in none. */
function namespaceOf({ request, namespace, kind }: Attributes, reader: ObjectReader): JsonObject | null {
  if (namespace === "" || (kind.group === "" && kind.kind === "Namespace")) return null;
  const found = reader.get(Namespace, { name: request.namespace });
  if (!found) throw ApiError.notFound({ group: "", resource: "namespaces" }, request.namespace);
  return found as unknown as JsonObject;
}

/** Does what the binding wants done with what a policy found; answers what is denied. */
function act(
  { decisions, failures }: PolicyResult,
  {
    bound: { binding },
    policy,
    request,
  }: { readonly bound: CompiledBinding; readonly policy: string; readonly request: AdmissionRequest },
): readonly Denial[] {
  const { name } = binding.metadata;
  const { validationActions = [] } = binding.spec;
  const denials: Denial[] = [];
  for (const [expressionIndex, decision] of decisions.entries()) {
    if (decision.type === "admit") continue;
    const { message, reason } = decision;
    for (const action of validationActions) {
      if (action === "Deny") denials.push({ policy, binding: name, message, reason });
      if (action === "Warn") {
        request.warn?.(
          `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${name}': ${message}`,
        );
      }
      if (action === "Audit") {
        const failure = { message, policy, binding: name, expressionIndex, validationActions };
        request.annotate?.(failureKey, JSON.stringify([failure]));
      }
    }
  }
  return [...denials, ...failures.map((message) => ({ policy, binding: name, message, reason: "" }))];
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
};
const invalidCode = 422;

function denialError(request: AdmissionRequest, { policy, binding, message, reason }: Denial): ApiError {
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const why = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = refused(request, why);
  const { details } = status;
  return new ApiError({
    ...status,
    details: { ...details, causes: [...(details?.causes ?? []), { message: why }] },
    reason: reason || "Invalid",
    code: codes[reason] ?? invalidCode,
  });
}
