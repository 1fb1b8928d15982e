import type { ExpectedDifference } from "./expected.ts";

const ofValues = /values of custom resources: POST/;
const said = (value: unknown) => JSON.stringify(value);

/** What changed in custom resources between v1.20 and v1.36. */
export const customDifferences: readonly ExpectedDifference[] = [
  {
    reason: "v1.25: wrong types are a cause of their own",
    at: /causes\.\d+\.reason$/,
    step: /custom resources/,
    ours: "FieldValueTypeInvalid",
  },
  {
    reason: "v1.24: too many properties are told as too many items, with their number",
    at: /message$|causes\.\d+\.(?:message|reason)$/,
    step: ofValues,
    matches: ({ ours }) => /Too many|Too long|FieldValueToo/.test(said(ours)),
  },
  {
    reason: "v1.24: too few properties are told with their number",
    at: /message$/,
    step: ofValues,
    matches: ({ ours }) => /should have at least 1 properties/.test(said(ours)),
  },
  {
    reason: "v1.22: what is wrong with elements of lists is told with their index",
    at: /message$|causes\.\d+\.(?:message|field)$/,
    step: ofValues,
    matches: ({ ours }) => /\[\d\]/.test(said(ours)),
  },
  {
    reason: "v1.24: values that are maps are written as JSON",
    at: /message$/,
    step: ofValues,
    matches: ({ upstream }) => /map\[string\]interface/.test(said(upstream)),
  },
  {
    reason: "v1.24: of which version an object is must stand in it",
    at: /^(?:status|body)/,
    step: ofValues,
    matches: ({ upstream, ours, at }) =>
      /apiVersion' is missing|InternalError|500/.test(said(upstream)) ||
      (at.startsWith("body.details") && ours === undefined),
  },
  {
    reason: "v1.27: a status is checked on its own, by its own part of the schema",
    at: /message$/,
    step: /scales of custom resources: PATCH \S+\/status$/,
    matches: ({ ours }) => /"size in body|: size in body/.test(said(ours)),
  },
  {
    reason: "v1.24: conditions of definitions are told apart by their types",
    at: /f:conditions\.k:/,
    step: /life of custom resources/,
  },
  {
    reason: "v1.30: stored versions that are gone are told with what to do about it",
    at: /message$/,
    step: /life of custom resources: PATCH/,
    matches: ({ upstream }) => /must appear in spec\.versions/.test(said(upstream)),
  },
  {
    reason: "v1.24: the extension that keeps unknown fields is called as it is",
    at: /message$/,
    step: /life of custom resources: PATCH/,
    matches: ({ upstream }) => /set x-preserve-unknown-fields/.test(said(upstream)),
  },
];
