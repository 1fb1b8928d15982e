import { ApiError } from "../../../apimachinery/index.ts";
import type { KubernetesObject } from "../../../apimachinery/index.ts";
import { semanticallyEqual } from "../../../api/index.ts";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf, convertedTo, requestObject } from "../dynamic/attributes.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { judgeConditions, observeConditions } from "../dynamic/conditions.ts";
import { Reinvocation } from "../dynamic/reinvocation.ts";
import { isExempt } from "../dynamic/rules.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "../plugin.ts";
import { refused } from "../request.ts";
import { onceConverted } from "../../registry/remote-conversion.ts";
import type { CompiledMutatingPolicy, PolicyCompiler } from "./compile.ts";
import { errorTypeOf, stopwatch } from "./evaluate.ts";
import { activationFor, plannedPolicies } from "./invocations.ts";
import type { PolicyParts } from "./invocations.ts";
import { MutationError, withConfiguration, withJsonPatch } from "./patch.ts";
import { BudgetError, Session } from "./session.ts";
import { PolicySource } from "./source.ts";
import type { BoundPolicy } from "./source.ts";

const pluginName = "MutatingAdmissionPolicy";

type Bound = BoundPolicy<CompiledMutatingPolicy, MutatingAdmissionPolicyBinding>;
type Observed = PolicyParts & { readonly observer: DynamicObserver | undefined };

/** Applies the policies that mutate, as far as they are bound: one after the other, each sees what those before it made. */
export function mutatingPolicies(
  parts: PolicyParts & { readonly compiler: PolicyCompiler },
): AdmissionPlugin {
  const source = new PolicySource({
    reader: parts.reader,
    policies: MutatingAdmissionPolicy,
    bindings: MutatingAdmissionPolicyBinding,
    compile: (policy) => parts.compiler.mutating(policy),
  });
  let observer: DynamicObserver | undefined;
  const run = (request: AdmissionRequest) => {
    const policies = source.all();
    if (policies.length === 0 || isExempt(request.resource)) return request.object;
    const start = attributesOf(request, parts.served);
    if (!start) return request.object;
    const plan = onceConverted(() => planOf(policies, start, parts));
    const apply = (planned: Plan) => applyAll(planned, start, { ...parts, observer });
    return plan instanceof Promise ? plan.then(apply) : apply(plan);
  };
  return {
    name: pluginName,
    operations: ["CREATE", "UPDATE", "CONNECT"],
    observe: (given) => void (observer = given),
    admit: (request) => {
      const changed = run(request);
      if (!(changed instanceof Promise)) return changed ?? request.object;
      return changed.then((object) => object ?? request.object);
    },
    hear: (request) => {
      const heard = run(request);
      return heard instanceof Promise ? heard.then(() => undefined) : undefined;
    },
  };
}

/** A policy with a binding and its parameter, as it is applied to one request. */
interface Invocation {
  readonly compiled: CompiledMutatingPolicy;
  readonly binding: string;
  readonly param: KubernetesObject | null;
  readonly shown: Shown;
}

/** Why a request is refused. */
interface Refusal {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  /** Empty: that of the error. */
  readonly reason: string;
}

function applyAll(
  { invocations, refusals }: Plan,
  start: Attributes,
  parts: Observed,
): KubernetesObject | undefined {
  const { request } = start;
  if (invocations.length === 0) {
    if (refusals.length > 0) throw refusalError(request, refusals);
    return request.object;
  }
  const again = Reinvocation.of(request, pluginName);
  const run = new Run(start, { again, parts });
  const failures = invocations.flatMap((invocation) => run.invoke(invocation));
  const { object } = run.attributes;
  const output = object && object !== start.object ? requestObject(start, object) : request.object;
  // Upstream takes what has run for a change, whatever came of it.
  if (run.hasMutated) again.changed(request);
  again.ended(output);
  const all = [...refusals, ...failures];
  if (all.length > 0) throw refusalError(request, all);
  return output;
}

interface Plan {
  readonly invocations: readonly Invocation[];
  readonly refusals: readonly Refusal[];
}

/** Which policies are applied, with what; found out before the first one changes anything. */
function planOf(policies: readonly Bound[], attributes: Attributes, parts: PolicyParts): Plan {
  const invocations: Invocation[] = [];
  const refusals: Refusal[] = [];
  for (const { policy, found } of plannedPolicies(policies, attributes, parts)) {
    const { compiled } = policy;
    const { shown, bindings, misconfigured } = found;
    refusals.push(...misconfigured.map((each) => ({ ...each, reason: "" })));
    if (!shown) continue;
    for (const { bound, params } of bindings) {
      const binding = bound.binding.metadata.name;
      invocations.push(...params.map((param) => ({ compiled, binding, param, shown })));
    }
  }
  return { invocations, refusals };
}

/** One round of a request through all policies. */
class Run {
  attributes: Attributes;
  hasMutated = false;
  readonly #again: Reinvocation;
  readonly #parts: Observed;

  constructor(
    attributes: Attributes,
    { again, parts }: { readonly again: Reinvocation; readonly parts: Observed },
  ) {
    this.attributes = attributes;
    this.#again = again;
    this.#parts = parts;
  }

  /** Applies one policy; answers why the request is to be refused. */
  invoke(invocation: Invocation): readonly Refusal[] {
    const { compiled, binding, param } = invocation;
    const { request } = this.attributes;
    const { name: policy, ignoresFailures } = compiled;
    const { observer } = this.#parts;
    const verdict = judgeConditions(compiled.conditions, this.#activation(invocation));
    observeConditions(verdict, { name: policy, operation: request.operation }, observer);
    if (verdict.type === "excluded" || (verdict.type === "failed" && ignoresFailures)) return [];
    const refusal = (message: string): Refusal => ({ policy, binding, message, reason: "Invalid" });
    if (verdict.type === "failed") return [refusal(verdict.message)];
    const { namespace = "", name = "" } = param?.metadata ?? {};
    const id = JSON.stringify([policy, binding, namespace, name]);
    if (!this.#again.isDue(id, request)) return [];
    const before = this.attributes.object;
    const problems = compiled.mutations.flatMap((mutation) => this.#mutate(mutation, invocation));
    if (!semanticallyEqual(before, this.attributes.object)) this.#again.changed(request);
    if (compiled.reinvocable) this.#again.called(id);
    return ignoresFailures ? [] : problems.map(refusal);
  }

  /** Carries out one mutation; answers why it cannot be. */
  #mutate(mutation: CompiledMutatingPolicy["mutations"][number], invocation: Invocation): readonly string[] {
    const { compiled, binding, shown } = invocation;
    const { served, object } = this.attributes;
    const present = convertedTo(object, served, shown.served);
    if (!present) return [];
    const { observer } = this.#parts;
    const since = stopwatch(observer);
    const note = (errorType: ReturnType<typeof errorTypeOf>) =>
      observer?.mutated({ policy: compiled.name, binding, errorType, seconds: since() });
    try {
      const { program } = mutation;
      if ("problem" in program) throw new MutationError(program.problem);
      const result = new Session(this.#activation(invocation), compiled.variables).evaluate(mutation);
      if (result.type === "error") throw new MutationError(result.message);
      const apply = mutation.patchType === "JSONPatch" ? withJsonPatch : withConfiguration;
      const changed = apply(result.value, { object: present, shown });
      note("no_error");
      this.hasMutated = true;
      if (changed !== present) {
        this.attributes = { ...this.attributes, object: convertedTo(changed, shown.served, served) };
      }
      return [];
    } catch (error) {
      const isKnown =
        error instanceof MutationError || error instanceof BudgetError || error instanceof ApiError;
      if (!isKnown) throw error;
      note(errorTypeOf(error.message));
      // What the server itself has to say is no matter of the policy.
      if (error instanceof ApiError) throw error;
      return [error.message];
    }
  }

  #activation({ compiled, param, shown }: Invocation) {
    const { attributes } = this;
    return activationFor(compiled, { attributes, shown, param, parts: this.#parts });
  }
}

/** All refusals together, in the words of the first. */
function refusalError(request: AdmissionRequest, refusals: readonly Refusal[]): ApiError {
  const messages = refusals.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy)} denied request: ${message}`
      : `policy '${policy}' with binding '${binding}' denied request: ${message}`,
  );
  const { status } = refused(request, "admission request denied by policy");
  const { details } = status;
  return new ApiError({
    ...status,
    message: messages[0] ?? "",
    reason: refusals[0]?.reason || "Forbidden",
    details: {
      ...details,
      causes: [...(details?.causes ?? []), ...messages.map((message) => ({ message }))],
    },
  });
}
