import type { FieldError, KubernetesObject, Resource } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { ageColumn, column, formatSelector, nameColumn } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fillMissing, mapField, mapList } from "../common/fill.ts";
import { onlyStatus } from "../common/metadata.ts";
import type { ResourceDefinition } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type {
  MatchResources,
  MutatingAdmissionPolicySpec,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyStatus,
} from "../types/admissionregistration-v1.ts";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../types/admissionregistration-v1.ts";
import {
  MutatingAdmissionPolicy as AlphaPolicy,
  MutatingAdmissionPolicyBinding as AlphaBinding,
} from "../types/admissionregistration-v1alpha1.ts";
import {
  MutatingAdmissionPolicy as BetaPolicy,
  MutatingAdmissionPolicyBinding as BetaBinding,
} from "../types/admissionregistration-v1beta1.ts";
import type { PolicyRules } from "./policy-validation.ts";
import {
  validateActions,
  validateBinding,
  validateMutatingPolicy,
  validateValidatingPolicy,
} from "./policy-validation.ts";
import { reservedNameWarnings } from "./rules.ts";

/** What policies of both kinds, in all versions, have in common. */
interface Policy extends KubernetesObject {
  readonly spec: {
    readonly paramKind?: ParamKind;
    readonly matchConstraints?: object;
    readonly matchConditions?: readonly unknown[];
    readonly failurePolicy?: string;
    readonly validations?: readonly unknown[];
    readonly mutations?: readonly unknown[];
  };
  readonly status?: ValidatingAdmissionPolicyStatus;
}

interface Binding extends KubernetesObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: object;
  };
}

/** The rules of admission policies and their bindings. */
export const admissionPolicyDefinitions = [
  policyDefinition(ValidatingAdmissionPolicy),
  policyDefinition(MutatingAdmissionPolicy),
  policyDefinition(BetaPolicy),
  policyDefinition(AlphaPolicy),
  bindingDefinition(ValidatingAdmissionPolicyBinding),
  bindingDefinition(MutatingAdmissionPolicyBinding),
  bindingDefinition(BetaBinding),
  bindingDefinition(AlphaBinding),
] as const;

function policyDefinition<T extends Policy>(resource: Resource<T>): ResourceDefinition<T> {
  const validates = resource.kind === ValidatingAdmissionPolicy.kind;
  const actions = validates ? "validations" : "mutations";
  const heading = validates ? "Validations" : "Mutations";
  return defineResource<T>({
    resource,
    plainFinalizers: true,
    repeatedMetadataChecks: ["whole"],
    requiresVersion: true,
    defaults: (policy) => ({
      ...policy,
      spec: mapField(
        fillMissing<Policy["spec"]>(policy.spec, { failurePolicy: "Fail" }),
        "matchConstraints",
        defaultMatch,
      ),
    }),
    prepareForStatusUpdate: onlyStatus,
    validateCreate: (policy) => validatePolicy(policy, { validates, conditions: true }),
    validateUpdate: (policy, old, { subresource }) =>
      subresource === "status"
        ? validateStatus(policy)
        : validatePolicy(policy, { validates, ...rulesAfter(policy, old) }),
    warnings: ({ metadata }) => reservedNameWarnings(metadata.name),
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

function validatePolicy(
  policy: Policy,
  rules: PolicyRules & { readonly validates: boolean },
): readonly FieldError[] {
  return rules.validates
    ? validateValidatingPolicy(policy.metadata.name, policy.spec as ValidatingAdmissionPolicySpec, rules)
    : validateMutatingPolicy(policy.spec as MutatingAdmissionPolicySpec, rules);
}

const rulesAfter = ({ spec }: Policy, old: Policy): PolicyRules => ({
  conditions:
    !semanticallyEqual(spec.paramKind, old.spec.paramKind) ||
    !semanticallyEqual(spec.matchConditions, old.spec.matchConditions),
});

function validateStatus({ status }: Policy): readonly FieldError[] {
  const path = FieldPath.root("status");
  const warnings = status?.typeChecking?.expressionWarnings ?? [];
  return [
    ...warnings.flatMap(({ fieldRef, warning }, index) => {
      const at = path.child("typeChecking", "expressionWarnings").index(index);
      return [
        ...(!warning ? [fieldErrors.required(at.child("warning"))] : []),
        ...(!fieldRef?.trim() ? [fieldErrors.required(at.child("fieldRef"))] : []),
      ];
    }),
    ...validateConditions(status?.conditions, path.child("conditions")),
  ];
}

function bindingDefinition<T extends Binding>(resource: Resource<T>): ResourceDefinition<T> {
  const mutates = resource.kind !== ValidatingAdmissionPolicyBinding.kind;
  return defineResource<T>({
    resource,
    plainFinalizers: true,
    repeatedMetadataChecks: ["whole"],
    requiresVersion: true,
    defaults: (binding) => ({
      ...binding,
      spec: mapField<Binding["spec"], "matchResources">(binding.spec, "matchResources", defaultMatch),
    }),
    validate: ({ spec }) => [
      ...validateBinding(spec, { mutates }),
      ...(mutates ? [] : validateActions((spec as ValidatingAdmissionPolicyBindingSpec).validationActions)),
    ],
    warnings: ({ metadata }) => reservedNameWarnings(metadata.name),
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
  let result = fillMissing<MatchResources>(match, {
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
  });
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    result = mapField(result, field, (rules) => mapList(rules, (rule) => fillMissing(rule, { scope: "*" })));
  }
  return result;
}

function parametersText(reference: ParamRef | undefined): string {
  const { name = "", namespace, selector } = reference ?? {};
  if (name !== "") return `${namespace || "*"}/${name}`;
  return selector === undefined ? "<unset>" : formatSelector(selector);
}
