import { ApiError } from "../../../apimachinery/index.ts";
import {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf } from "../dynamic/attributes.ts";
import type { Attributes } from "../dynamic/attributes.ts";
import { isExempt } from "../dynamic/rules.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "../plugin.ts";
import { refused } from "../request.ts";
import { onceConverted } from "../../registry/remote-conversion.ts";
import type { CompiledValidatingPolicy, PolicyCompiler } from "./compile.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { PolicyResult } from "./evaluate.ts";
import { activationFor, plannedPolicies } from "./invocations.ts";
import type { PlannedPolicy, PolicyParts } from "./invocations.ts";
import { PolicySource } from "./source.ts";
import type { BoundPolicy } from "./source.ts";

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

const longestAnnotation = 10 * 1024;
const failureKey = "validation.policy.admission.k8s.io/validation_failure";

type Bound = BoundPolicy<CompiledValidatingPolicy, ValidatingAdmissionPolicyBinding>;
type Observed = PolicyParts & { readonly observer: DynamicObserver | undefined };

/** Applies the policies that validate, as far as they are bound. */
export function validatingPolicies(
  parts: PolicyParts & { readonly compiler: PolicyCompiler },
): AdmissionPlugin {
  const source = new PolicySource({
    reader: parts.reader,
    policies: ValidatingAdmissionPolicy,
    bindings: ValidatingAdmissionPolicyBinding,
    compile: (policy) => parts.compiler.validating(policy),
  });
  let observer: DynamicObserver | undefined;
  return {
    name: "ValidatingAdmissionPolicy",
    operations: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
    observe: (given) => void (observer = given),
    validate(request) {
      const policies = source.all();
      if (policies.length === 0 || isExempt(request.resource)) return;
      const attributes = attributesOf(request, parts.served);
      if (!attributes) return;
      const apply = (planned: readonly PlannedPolicy<Bound>[]) => {
        const observed = { ...parts, observer };
        const denials = planned.flatMap((each) => applyPolicy(each, attributes, observed));
        const [first] = denials;
        if (first) throw denialError(request, first);
      };
      const planned = onceConverted(() => plannedPolicies(policies, attributes, parts));
      return planned instanceof Promise ? planned.then(apply) : apply(planned);
    },
  };
}

function applyPolicy(
  { policy, found }: PlannedPolicy<Bound>,
  attributes: Attributes,
  parts: Observed,
): readonly Denial[] {
  const { shown, bindings, misconfigured } = found;
  const denials: Denial[] = misconfigured.map((each) => ({ ...each, reason: "" }));
  if (!shown) return denials;
  const { compiled } = policy;
  let annotations: Map<string, Set<string>> | undefined;
  for (const { bound, params } of bindings) {
    for (const param of params) {
      const activation = activationFor(compiled, { attributes, shown, param, parts });
      const { request } = attributes;
      const { observer } = parts;
      const result = evaluatePolicy(compiled, { activation, operation: request.operation, observer });
      denials.push(...act(result, { binding: bound.binding, policy: compiled.name, request, observer }));
      for (const { key, value } of result.annotations) {
        annotations ??= new Map<string, Set<string>>();
        const values = annotations.get(key) ?? new Set();
        annotations.set(key, values.add(value.slice(0, longestAnnotation)));
      }
    }
  }
  for (const [key, values] of annotations ?? []) {
    attributes.request.annotate?.(`${compiled.name}/${key}`, [...values].join(", "));
  }
  return denials;
}

/** Does what the binding wants done with what a policy found; answers what is denied. */
function act(
  { decisions, failures }: PolicyResult,
  {
    binding: { metadata, spec },
    policy,
    request,
    observer,
  }: {
    readonly binding: ValidatingAdmissionPolicyBinding;
    readonly policy: string;
    readonly request: AdmissionRequest;
    readonly observer: DynamicObserver | undefined;
  },
): readonly Denial[] {
  const { name: binding } = metadata;
  const { validationActions = [] } = spec;
  const denials: Denial[] = [];
  for (const [expressionIndex, decision] of decisions.entries()) {
    const { errorType, seconds } = decision;
    const check = { policy, binding, errorType, seconds };
    if (decision.type === "admit") {
      if (errorType !== "no_error") observer?.validated({ ...check, action: "allow" });
      continue;
    }
    const { message, reason } = decision;
    for (const action of validationActions) {
      observer?.validated({ ...check, action: observedActions[action] });
      if (action === "Deny") denials.push({ policy, binding, message, reason });
      if (action === "Warn") {
        request.warn?.(
          `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`,
        );
      }
      if (action === "Audit") {
        const failure = { message, policy, binding, expressionIndex, validationActions };
        request.annotate?.(failureKey, JSON.stringify([failure]));
      }
    }
  }
  for (const { message, ...check } of failures) {
    observer?.validated({ policy, binding, ...check, action: "deny" });
    denials.push({ policy, binding, message, reason: "" });
  }
  return denials;
}

const observedActions = { Deny: "deny", Warn: "warn", Audit: "audit" } as const;

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
