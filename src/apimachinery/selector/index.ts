export * from "./field-selector.ts";
export * from "./label-selector.ts";
export { SelectorError, type Operator, type Requirement } from "./requirement.ts";
