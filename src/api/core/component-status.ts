import { column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { ComponentStatus } from "../types/core-v1.ts";

const health = (component: ComponentStatus) =>
  (component.conditions ?? []).find((condition) => condition.type === "Healthy");

/** The columns of component statuses, which nobody stores. */
export const componentStatusDefinition = defineResource<ComponentStatus>({
  resource: ComponentStatus,
  unknownName: (name) => `Component not found: ${name}`,
  columns: [
    nameColumn,
    column("Status", "Whether the component is healthy", {
      value: (component) => {
        const condition = health(component);
        return condition === undefined ? "Unknown" : condition.status === "True" ? "Healthy" : "Unhealthy";
      },
    }),
    column("Message", "What the component says", { value: (component) => health(component)?.message ?? "" }),
    column("Error", "What went wrong", { value: (component) => health(component)?.error ?? "" }),
  ],
});
