import type { KubernetesObject, Resource } from "../../../apimachinery/index.ts";
import type { MatchResources, ParamRef } from "../../../api/types/admissionregistration-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import type { CompiledRules } from "./compile.ts";
import { scopeOf } from "./match.ts";
import type { Scope } from "./match.ts";

/** What bindings of both kinds say alike. */
interface Binding extends KubernetesObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/** A binding with its scope. */
export interface CompiledBinding<B extends Binding = Binding> {
  readonly binding: B;
  readonly scope: Scope;
}

/** A policy that is bound. */
export interface BoundPolicy<C extends CompiledRules = CompiledRules, B extends Binding = Binding> {
  readonly compiled: C;
  readonly bindings: readonly CompiledBinding<B>[];
}

const byName = ({ metadata: one }: KubernetesObject, { metadata: other }: KubernetesObject) =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : 0;

/** All policies of a kind that are bound, by name; those that nobody binds have no effect and are not compiled. */
export class PolicySource<P extends KubernetesObject, C extends CompiledRules, B extends Binding> {
  private readonly options: {
    readonly policies: Resource<P>;
    readonly bindings: Resource<B>;
    readonly compile: (policy: P) => C;
    readonly reader: ObjectReader;
  };
  private policies: readonly BoundPolicy<C, B>[] | undefined;

  constructor(options: PolicySource<P, C, B>["options"]) {
    this.options = options;
    const onChange = () => (this.policies = undefined);
    options.reader.subscribe(options.policies, onChange);
    options.reader.subscribe(options.bindings, onChange);
  }

  all(): readonly BoundPolicy<C, B>[] {
    this.policies ??= this.read();
    return this.policies;
  }

  private read(): readonly BoundPolicy<C, B>[] {
    const { reader, compile } = this.options;
    const bindings = [...reader.list(this.options.bindings)].sort(byName);
    return [...reader.list(this.options.policies)].sort(byName).flatMap((policy) => {
      const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
      if (own.length === 0) return [];
      const scoped = own.map((binding) => ({ binding, scope: scopeOf(binding.spec.matchResources) }));
      return [{ compiled: compile(policy), bindings: scoped }];
    });
  }
}
