import { FieldPath } from "../../apimachinery/index.ts";
import { column, containerColumns, formatLabels, nameColumn } from "../common/columns.ts";
import { isNewIntent } from "../common/warnings.ts";
import { defineResource } from "../definition.ts";
import { PodTemplate } from "../types/core-v1.ts";
import { defaultPodTemplate, podTemplateWarnings, validatePodTemplate } from "./pod-spec/index.ts";

/** The rules of pod templates. */
export const podTemplateDefinition = defineResource<PodTemplate>({
  resource: PodTemplate,
  returnsDeleted: true,
  defaults: (object) => ({ ...object, template: defaultPodTemplate(object.template) }),
  validate: (object) => validatePodTemplate(object.template, FieldPath.root("template")),
  warnings: (object, old) =>
    isNewIntent(object, old) ? podTemplateWarnings(object.template, FieldPath.root("template")) : [],
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>((object) => object.template?.spec, { priority: 0 }),
    column("Pod Labels", "Labels of the pods", {
      value: (object) => formatLabels(object.template?.metadata?.labels),
    }),
  ],
  tracksGeneration: true,
});
