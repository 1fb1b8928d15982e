import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label } from "../../apimachinery/index.ts";
import { immutable, invalidFor, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { validateDomainPrefixedPath } from "../common/domain-names.ts";
import { fillMissing, mapField } from "../common/fill.ts";
import { validateTypedReference } from "../common/references.ts";
import { defineResource } from "../definition.ts";
import type { IngressClassParametersReference } from "../types/networking-v1.ts";
import { IngressClass } from "../types/networking-v1.ts";

const longestController = 250;
const scopes = ["Cluster", "Namespace"];
const path = FieldPath.root("spec");

/** The rules of ingress classes. */
export const ingressClassDefinition = defineResource<IngressClass>({
  resource: IngressClass,
  repeatedMetadataChecks: ["change", "whole"],
  defaults: (object) =>
    mapField(object, "spec", (spec) =>
      mapField(spec, "parameters", (parameters) => fillMissing(parameters, { scope: "Cluster" })),
    ),
  validate,
  updateErrorsFirst: true,
  validateUpdate: (object, old) =>
    immutable(path.child("controller"), object.spec?.controller, old.spec?.controller),
  columns: [
    nameColumn,
    column("Controller", "Who serves ingresses of the class", {
      value: ({ spec }) => spec?.controller ?? "",
    }),
    column("Parameters", "Settings of the controller", { value: parametersText }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function validate({ spec }: IngressClass): readonly FieldError[] {
  const at = path.child("controller");
  const controller = spec?.controller ?? "";
  return [
    ...(controller.length > longestController ? [fieldErrors.tooLong(at, longestController)] : []),
    ...validateDomainPrefixedPath(controller, at),
    ...(spec?.parameters ? validateParameters(spec.parameters, path.child("parameters")) : []),
  ];
}

function validateParameters(parameters: IngressClassParametersReference, at: FieldPath): FieldError[] {
  const { scope, namespace } = parameters;
  const errors = validateTypedReference(parameters, at);
  const place = at.child("namespace");
  errors.push(...optionalOneOf(at.child("scope"), scope, scopes));
  if (scope === "Namespace") {
    errors.push(
      ...(namespace === undefined
        ? [fieldErrors.required(place, "`parameters.scope` is set to 'Namespace'")]
        : invalidFor(place, namespace, isDNS1123Label(namespace))),
    );
  } else if (scope === "Cluster" && namespace !== undefined) {
    errors.push(fieldErrors.forbidden(place, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return "<none>";
  const group = parameters.apiGroup === undefined ? "" : `.${parameters.apiGroup}`;
  return `${parameters.kind}${group}/${parameters.name}`;
}
