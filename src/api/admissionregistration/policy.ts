import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import type { ResourceDefinition } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { ParamKind, ParamRef } from "../types/admissionregistration-v1.ts";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../types/admissionregistration-v1.ts";
import {
  MutatingAdmissionPolicy as BetaPolicy,
  MutatingAdmissionPolicyBinding as BetaBinding,
} from "../types/admissionregistration-v1beta1.ts";

/** What a policy or binding is for, whatever the version calls the types. */
interface MatchResources {
  readonly namespaceSelector?: object;
  readonly objectSelector?: object;
  readonly resourceRules?: readonly { readonly scope?: string }[];
  readonly excludeResourceRules?: readonly { readonly scope?: string }[];
  readonly matchPolicy?: string;
}

/** What policies of both kinds, in both versions, have in common. */
interface Policy extends KubernetesObject {
  readonly spec: {
    readonly paramKind?: ParamKind;
    readonly matchConstraints?: MatchResources;
    readonly failurePolicy?: string;
    readonly validations?: readonly unknown[];
    readonly mutations?: readonly unknown[];
  };
}

interface Binding extends KubernetesObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/** The rules of admission policies and their bindings; the alpha version has the general ones. */
export const admissionPolicyDefinitions = [
  policyDefinition(ValidatingAdmissionPolicy),
  policyDefinition(MutatingAdmissionPolicy),
  policyDefinition(BetaPolicy),
  bindingDefinition(ValidatingAdmissionPolicyBinding),
  bindingDefinition(MutatingAdmissionPolicyBinding),
  bindingDefinition(BetaBinding),
] as const;

function policyDefinition<T extends Policy>(resource: Resource<T>): ResourceDefinition<T> {
  const actions = resource.kind === "ValidatingAdmissionPolicy" ? "validations" : "mutations";
  const heading = actions === "validations" ? "Validations" : "Mutations";
  return defineResource<T>({
    resource,
    defaults: (policy) => ({
      ...policy,
      spec: mapField(
        fill<Policy["spec"]>(policy.spec, { failurePolicy: "Fail" }),
        "matchConstraints",
        defaultMatch,
      ),
    }),
    prepareForStatusUpdate: (policy, old) => ({ ...policy, spec: old.spec }),
    columns: [
      nameColumn,
      column<T>(heading, `How many ${actions} the policy has`, {
        type: "integer",
        value: ({ spec }) => spec[actions]?.length ?? 0,
      }),
      column<T>("ParamKind", "Kind of the policy's parameters", {
        value: ({ spec }) =>
          spec.paramKind ? `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}` : "<unset>",
      }),
      ageColumn,
    ],
    tracksGeneration: true,
  });
}

function bindingDefinition<T extends Binding>(resource: Resource<T>): ResourceDefinition<T> {
  return defineResource<T>({
    resource,
    defaults: (binding) => ({
      ...binding,
      spec: mapField<Binding["spec"], "matchResources">(binding.spec, "matchResources", defaultMatch),
    }),
    columns: [
      nameColumn,
      column<T>("PolicyName", "The policy that is bound", { value: ({ spec }) => spec.policyName ?? "" }),
      column<T>("ParamRef", "The parameters that are used", {
        value: ({ spec }) => parametersText(spec.paramRef),
      }),
      ageColumn,
    ],
    tracksGeneration: true,
  });
}

function defaultMatch(match: MatchResources): MatchResources {
  let result = fill(match, { matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {} });
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    result = mapField(result, field, (rules) => mapList(rules, (rule) => fill(rule, { scope: "*" })));
  }
  return result;
}

function parametersText(reference: ParamRef | undefined): string {
  if (reference === undefined) return "<unset>";
  const name = reference.name ?? "";
  return reference.namespace ? `${reference.namespace}/${name}` : `*/${name}`;
}
