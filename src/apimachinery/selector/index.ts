export * from "./field-selector.ts";
export * from "./label-selector.ts";
export { aggregate, SelectorError, type Operator, type Requirement } from "./requirement.ts";
