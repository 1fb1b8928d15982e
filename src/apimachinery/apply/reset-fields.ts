import { leaf, type FieldSet } from "./field-set.ts";

/** What writes of the main resource do not change where there is a status subresource. */
export const statusFields: FieldSet = Object.freeze({ "f:status": leaf });

/** What writes of the status do not change. */
export const specFields: FieldSet = Object.freeze({ "f:spec": leaf });
