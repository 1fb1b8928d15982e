import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isConfigMapKey,
  isEarlier,
  parseSemanticVersion,
} from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import type { RequestContext } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { LeaseCandidate as AlphaLeaseCandidate } from "../types/coordination-v1alpha2.ts";
import type { LeaseCandidateSpec } from "../types/coordination-v1beta1.ts";
import { LeaseCandidate } from "../types/coordination-v1beta1.ts";
import { validateLeaseStrategy } from "./strategy.ts";

type AnyCandidate = LeaseCandidate | AlphaLeaseCandidate;
const path = FieldPath.root("spec");

const rules = {
  plainFinalizers: true,
  createsOnUpdate: true,
  requiresVersion: true,
  nameRule: "none",
  validate: ({ metadata, spec }: AnyCandidate, { operation }: Pick<RequestContext, "operation">) => [
    ...(operation === "create" ? validateName(metadata.name) : []),
    ...validateSpec(spec),
  ],
  validateUpdate: ({ spec }: AnyCandidate, { spec: old }: AnyCandidate) =>
    immutable(path.child("leaseName"), spec.leaseName, old.leaseName),
  columns: [
    nameColumn,
    column<AnyCandidate>("LeaseName", "The lease that the candidate wants", {
      value: ({ spec }) => spec.leaseName,
    }),
    column<AnyCandidate>("BinaryVersion", "Version of the candidate's program", {
      value: ({ spec }) => spec.binaryVersion,
    }),
    column<AnyCandidate>("EmulationVersion", "Version that the candidate acts as", {
      value: ({ spec }) => spec.emulationVersion ?? "",
    }),
    ageColumn,
  ],
  selectableFields: { "spec.leaseName": ({ spec }: AnyCandidate) => spec.leaseName },
  tracksGeneration: false,
} as const;

/** The rules of candidates for leases. */
export const leaseCandidateDefinition = defineResource<LeaseCandidate>({
  resource: LeaseCandidate,
  ...rules,
});

/** The rules of candidates for leases, in the alpha version. */
export const alphaLeaseCandidateDefinition = defineResource<AlphaLeaseCandidate>({
  resource: AlphaLeaseCandidate,
  ...rules,
});

const validateName = (name: string): FieldError[] =>
  name === "" ? [] : invalidFor(FieldPath.root("metadata").child("name"), name, isConfigMapKey(name));

function validateSpec(spec: LeaseCandidateSpec): FieldError[] {
  const { emulationVersion, binaryVersion, strategy } = spec;
  const errors = spec.leaseName ? [] : [fieldErrors.required(path.child("leaseName"))];
  const emulated = validateVersion(emulationVersion, path.child("emulationVersion"), errors);
  const at = path.child("binaryVersion");
  if (!binaryVersion) errors.push(fieldErrors.required(at));
  const binary = validateVersion(binaryVersion, at, errors);
  if (binaryVersion && emulationVersion && isEarlier(binary, emulated)) {
    const why = "must be greater than or equal to `emulationVersion`";
    errors.push(fieldErrors.invalid(at, binaryVersion, why));
  }
  if (!strategy) return [...errors, fieldErrors.required(path.child("strategy"))];
  if (strategy === "OldestEmulationVersion" && isNothing(emulated)) {
    const why = "must be specified when `strategy` is 'OldestEmulationVersion'";
    errors.push(fieldErrors.required(path.child("emulationVersion"), why));
  }
  return [...errors, ...validateLeaseStrategy(strategy, path.child("strategy"))];
}

const nothing = { numbers: ["0", "0", "0"], preRelease: [] };
const isNothing = (version: typeof nothing | NonNullable<ReturnType<typeof parseSemanticVersion>>): boolean =>
  version.numbers.every((value) => value === "0") && version.preRelease.length === 0;

/** The version that the text says; the very first where it says none, which is an error unless it is empty. */
function validateVersion(text: string | undefined, at: FieldPath, errors: FieldError[]) {
  const version = text ? parseSemanticVersion(text) : nothing;
  if (version === undefined) errors.push(fieldErrors.invalid(at, text, "must be a valid semantic version"));
  return version ?? nothing;
}
