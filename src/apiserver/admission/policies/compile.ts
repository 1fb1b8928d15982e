import { kubernetesVersion } from "../../../apimachinery/index.ts";
import { CelCache, admissionEnvironment, variableType } from "../../../cel/index.ts";
import type { CelType, Compilation, Environment } from "../../../cel/index.ts";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from "../../../api/types/admissionregistration-v1.ts";
import type { Condition } from "../dynamic/conditions.ts";
import { scopeOf } from "./match.ts";
import type { Scope } from "./match.ts";

const minorVersion = Number(kubernetesVersion.split(".")[1]);

/** An expression that may be evaluated, or why it cannot be. */
export interface Compiled {
  readonly expression: string;
  readonly compilation: Compilation;
}

/** A variable of a policy. */
export type CompiledVariable = Compiled & { readonly name: string };

/** A policy with all that is made of it once. */
export interface CompiledPolicy {
  readonly policy: ValidatingAdmissionPolicy;
  readonly scope: Scope;
  readonly conditions: readonly (Condition & { readonly compilation: Compilation })[];
  readonly variables: readonly CompiledVariable[];
  readonly validations: readonly (Compiled & {
    readonly validation: Validation;
    readonly message: Compiled | undefined;
  })[];
  readonly annotations: readonly (Compiled & { readonly key: string })[];
}

/** A binding with its scope. */
export interface CompiledBinding {
  readonly binding: ValidatingAdmissionPolicyBinding;
  readonly scope: Scope;
}

/** Compiles policies; what is as it was is compiled once. */
export class PolicyCompiler {
  readonly #cache = new CelCache();
  readonly #environments = new Map<string, Environment>();
  readonly #policies = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>();

  policy(policy: ValidatingAdmissionPolicy): CompiledPolicy {
    const known = this.#policies.get(policy);
    if (known) return known;
    const made = this.#compile(policy);
    this.#policies.set(policy, made);
    return made;
  }

  #compile(policy: ValidatingAdmissionPolicy): CompiledPolicy {
    const { spec } = policy;
    const params = spec.paramKind !== undefined;
    const types = new Map<string, CelType>();
    const hasVariables = (spec.variables ?? []).length > 0;
    const environment = (authorizer: boolean) =>
      hasVariables
        ? admissionEnvironment(minorVersion, { params, authorizer, variables: types })
        : this.#shared({ params, authorizer });
    const full = environment(true);
    const one = (expression: string, within = full): Compiled => ({
      expression,
      compilation: hasVariables ? within.compile(expression) : this.#cache.compile(within, expression),
    });
    // Each variable may name those before it: an environment has what the map holds.
    const variables = (spec.variables ?? []).map(({ name, expression }): CompiledVariable => {
      const variable = one(expression);
      const { compilation } = variable;
      types.set(
        name,
        variableType(compilation.type === "program" ? compilation.program.resultType : undefined),
      );
      return { name, ...variable };
    });
    const forMessages = environment(false);
    const forConditions = this.#shared({ params, authorizer: true });
    return {
      policy,
      scope: scopeOf(spec.matchConstraints),
      conditions: (spec.matchConditions ?? []).map((condition) => ({
        ...condition,
        compilation: this.#cache.compile(forConditions, condition.expression),
      })),
      variables,
      validations: (spec.validations ?? []).map((validation) => ({
        ...one(validation.expression),
        validation,
        message: validation.messageExpression ? one(validation.messageExpression, forMessages) : undefined,
      })),
      annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
        ...one(valueExpression),
        key,
      })),
    };
  }

  /** Policies without variables share their environments: making one costs milliseconds. */
  #shared(options: { readonly params: boolean; readonly authorizer: boolean }): Environment {
    const key = JSON.stringify(options);
    const known = this.#environments.get(key);
    const environment = known ?? admissionEnvironment(minorVersion, { ...options, variables: new Map() });
    this.#environments.set(key, environment);
    return environment;
  }
}

/** A binding with its scope. */
export const compiledBinding = (binding: ValidatingAdmissionPolicyBinding): CompiledBinding => ({
  binding,
  scope: scopeOf(binding.spec.matchResources),
});
