import { FieldPath, isDNS1123Label } from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { RuntimeClass } from "../types/node-v1.ts";

/** The rules of runtime classes. */
export const runtimeClassDefinition = defineResource<RuntimeClass>({
  resource: RuntimeClass,
  validate: (object) =>
    invalidFor(FieldPath.root("handler"), object.handler ?? "", isDNS1123Label(object.handler ?? "")),
  validateUpdate: (object, old) => immutable(FieldPath.root("handler"), object.handler, old.handler),
  columns: [
    nameColumn,
    column("Handler", "The runtime's name for the class", { value: (object) => object.handler ?? "" }),
    ageColumn,
  ],
});
