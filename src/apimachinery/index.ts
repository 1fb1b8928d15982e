export * from "./api-error.ts";
export * from "./field-error.ts";
export type * from "./facts.ts";
export * from "./json.ts";
export * from "./resource.ts";
export type * as meta from "./generated/meta-v1.ts";
export type {
  Condition,
  LabelSelector,
  LabelSelectorRequirement,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  Status,
  StatusCause,
  StatusDetails,
} from "./generated/meta-v1.ts";
export * from "./schema/index.ts";
export * from "./codec/index.ts";
export * from "./quantity/index.ts";
export * from "./names/index.ts";
export * from "./selector/index.ts";
export * from "./patch/index.ts";
export * from "./apply/index.ts";
export * from "./kubernetes-version.ts";
export * from "./timestamp.ts";
export { goQuote } from "./go-quote.ts";
export * from "./semantic-version.ts";
export { hold, rememberShared, share, sharedText } from "./shared-values.ts";
