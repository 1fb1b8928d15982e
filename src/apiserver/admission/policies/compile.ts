import { kubernetesVersion } from "../../../apimachinery/index.ts";
import { CelCache, admissionEnvironment, variableType } from "../../../cel/index.ts";
import type { CelType, Compilation, Environment, Program } from "../../../cel/index.ts";
import type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  Mutation,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from "../../../api/types/admissionregistration-v1.ts";
import { problemOf } from "../dynamic/conditions.ts";
import type { Condition } from "../dynamic/conditions.ts";
import { scopeOf } from "./match.ts";
import type { Scope } from "./match.ts";

const minorVersion = Number(kubernetesVersion.split(".")[1]);

/** An expression that may be evaluated, or why it cannot be. */
export interface Compiled {
  readonly expression: string;
  readonly program: Program | { readonly problem: string };
}

/** A variable of a policy. */
export type CompiledVariable = Compiled & { readonly name: string };

/** What is made once of a policy of either kind. */
export interface CompiledRules {
  readonly name: string;
  /** What fails counts for nothing. */
  readonly ignoresFailures: boolean;
  readonly paramKind: ParamKind | undefined;
  readonly scope: Scope;
  readonly conditions: readonly (Condition & { readonly compilation: Compilation })[];
  readonly variables: readonly CompiledVariable[];
}

/** A policy that validates. */
export interface CompiledValidatingPolicy extends CompiledRules {
  readonly validations: readonly (Compiled & {
    readonly validation: Validation;
    readonly message: Compiled | undefined;
  })[];
  readonly annotations: readonly (Compiled & { readonly key: string })[];
}

/** A policy that mutates. */
export interface CompiledMutatingPolicy extends CompiledRules {
  readonly reinvocable: boolean;
  readonly mutations: readonly (Compiled & { readonly patchType: Mutation["patchType"] })[];
}

/** What policies of both kinds say alike. */
interface RulesSpec {
  readonly failurePolicy?: string;
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly Variable[];
}

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: RulesSpec;
}

interface Declared {
  readonly authorizer?: boolean;
  readonly patches?: boolean;
}

/** Compiles policies; what is as it was is compiled once. */
export class PolicyCompiler {
  readonly #cache = new CelCache();
  readonly #environments = new Map<string, Environment>();
  readonly #policies = new WeakMap<object, CompiledRules>();

  validating(policy: ValidatingAdmissionPolicy): CompiledValidatingPolicy {
    return this.#once(policy, (expressions) => ({
      validations: (policy.spec.validations ?? []).map((validation) => ({
        ...expressions.compile(validation.expression),
        validation,
        message: validation.messageExpression
          ? expressions.compile(validation.messageExpression, { authorizer: false })
          : undefined,
      })),
      annotations: (policy.spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
        ...expressions.compile(valueExpression),
        key,
      })),
    }));
  }

  mutating(policy: MutatingAdmissionPolicy): CompiledMutatingPolicy {
    const { mutations = [], reinvocationPolicy } = policy.spec;
    return this.#once(policy, (expressions) => ({
      reinvocable: reinvocationPolicy === "IfNeeded",
      mutations: mutations.map(({ patchType, applyConfiguration, jsonPatch }) => {
        const patch = patchType === "JSONPatch" ? jsonPatch : applyConfiguration;
        return { ...expressions.compile(patch?.expression ?? "", { patches: true }), patchType };
      }),
    }));
  }

  #once<Own extends object>(
    policy: Policy,
    make: (expressions: PolicyExpressions) => Own,
  ): CompiledRules & Own {
    const known = this.#policies.get(policy);
    if (known) return known as CompiledRules & Own;
    const made = this.#compile(policy, make);
    this.#policies.set(policy, made);
    return made;
  }

  #compile<Own extends object>(
    { metadata, spec }: Policy,
    make: (expressions: PolicyExpressions) => Own,
  ): CompiledRules & Own {
    const { paramKind, matchConditions = [] } = spec;
    const params = paramKind !== undefined;
    const expressions = new PolicyExpressions({
      params,
      cache: this.#cache,
      shared: (declared) => this.#shared({ params, ...declared }),
    });
    const variables = (spec.variables ?? []).map((variable) => expressions.define(variable));
    const forConditions = () => this.#shared({ params, authorizer: true });
    return {
      name: metadata.name,
      ignoresFailures: spec.failurePolicy === "Ignore",
      paramKind,
      scope: scopeOf(spec.matchConstraints),
      conditions: matchConditions.map((condition) => ({
        ...condition,
        compilation: this.#cache.compile(forConditions(), condition.expression),
      })),
      variables,
      ...make(expressions),
    };
  }

  /** Policies without variables share their environments: making one costs milliseconds. */
  #shared(options: Declared & { readonly params: boolean }): Environment {
    const key = JSON.stringify(options);
    const known = this.#environments.get(key);
    const environment = known ?? admissionEnvironment(minorVersion, { ...options, variables: new Map() });
    this.#environments.set(key, environment);
    return environment;
  }
}

/** The expressions of one policy: those that come later may name the variables before them. */
class PolicyExpressions {
  readonly #types = new Map<string, CelType>();
  readonly #environments = new Map<string, Environment>();
  readonly #options: {
    readonly params: boolean;
    readonly cache: CelCache;
    readonly shared: (declared: Declared) => Environment;
  };

  constructor(options: {
    readonly params: boolean;
    readonly cache: CelCache;
    readonly shared: (declared: Declared) => Environment;
  }) {
    this.#options = options;
  }

  compile(expression: string, { authorizer = true, patches = false }: Declared = {}): Compiled {
    const { cache, shared } = this.#options;
    const declared = { authorizer, patches };
    const compilation =
      this.#types.size === 0
        ? cache.compile(shared(declared), expression)
        : this.#own(declared).compile(expression);
    const problem = problemOf(compilation);
    return {
      expression,
      program: compilation.type === "program" ? compilation.program : { problem: problem ?? "" },
    };
  }

  /** A variable, which expressions know from now on. */
  define({ name, expression }: Variable): CompiledVariable {
    const compiled = this.compile(expression);
    const { program } = compiled;
    this.#types.set(name, variableType("problem" in program ? undefined : program.resultType));
    return { name, ...compiled };
  }

  #own(declared: Declared): Environment {
    const key = JSON.stringify(declared);
    const known = this.#environments.get(key);
    if (known) return known;
    const { params } = this.#options;
    const environment = admissionEnvironment(minorVersion, { params, ...declared, variables: this.#types });
    this.#environments.set(key, environment);
    return environment;
  }
}
