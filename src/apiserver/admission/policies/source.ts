import {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import { PolicyCompiler, compiledBinding } from "./compile.ts";
import type { CompiledBinding, CompiledPolicy } from "./compile.ts";

/** A policy that is bound. */
export interface BoundPolicy {
  readonly compiled: CompiledPolicy;
  readonly bindings: readonly CompiledBinding[];
}

const byName = (
  { metadata: one }: ValidatingAdmissionPolicy | ValidatingAdmissionPolicyBinding,
  { metadata: other }: ValidatingAdmissionPolicy | ValidatingAdmissionPolicyBinding,
) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);

/** All policies that are bound, by name; those that nobody binds have no effect and are not compiled. */
export class PolicySource {
  private readonly reader: ObjectReader;
  private readonly compiler = new PolicyCompiler();
  private policies: readonly BoundPolicy[] | undefined;

  constructor(reader: ObjectReader) {
    this.reader = reader;
    const onChange = () => (this.policies = undefined);
    reader.subscribe(ValidatingAdmissionPolicy, onChange);
    reader.subscribe(ValidatingAdmissionPolicyBinding, onChange);
  }

  all(): readonly BoundPolicy[] {
    this.policies ??= this.read();
    return this.policies;
  }

  private read(): readonly BoundPolicy[] {
    const bindings = [...this.reader.list(ValidatingAdmissionPolicyBinding)].sort(byName);
    return [...this.reader.list(ValidatingAdmissionPolicy)].sort(byName).flatMap((policy) => {
      const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
      if (own.length === 0) return [];
      return [{ compiled: this.compiler.policy(policy), bindings: own.map(compiledBinding) }];
    });
  }
}
