import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { IngressClass } from "../types/networking-v1.ts";

const longestController = 250;

/** The rules of ingress classes. */
export const ingressClassDefinition = defineResource<IngressClass>({
  resource: IngressClass,
  defaults: (object) =>
    mapField(object, "spec", (spec) =>
      mapField(spec, "parameters", (parameters) => fill(parameters, { scope: "Cluster" })),
    ),
  validate,
  validateUpdate: (object, old) =>
    immutable(FieldPath.root("spec").child("controller"), object.spec?.controller, old.spec?.controller),
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
  const path = FieldPath.root("spec").child("controller");
  const controller = spec?.controller ?? "";
  if (controller.length > longestController) return [fieldErrors.tooLong(path, longestController)];
  if (controller === "") return [fieldErrors.required(path)];
  return controller.includes("/")
    ? []
    : [fieldErrors.invalid(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
}

function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return "<none>";
  const group = parameters.apiGroup ? `.${parameters.apiGroup}` : "";
  return `${parameters.kind}${group}/${parameters.name}`;
}
