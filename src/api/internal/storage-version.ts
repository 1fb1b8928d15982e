import type { FieldError, Problems } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  isQualifiedName,
  nilList,
} from "../../apimachinery/index.ts";
import { invalidFor, invalidJoined } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type {
  ServerStorageVersion,
  StorageVersionCondition,
  StorageVersionStatus,
} from "../types/internal-v1alpha1.ts";
import { StorageVersion } from "../types/internal-v1alpha1.ts";

const unset = "<unset>";
const mostShown = 3;
const emptyProblem = "must be non-empty";
const namePattern = "[a-z]([-a-z0-9]*[a-z0-9])?";
const versionProblem =
  "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character " +
  `(e.g. 'my-name',  or 'abc-123', regex used for validation is '${namePattern}') ` +
  "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')";

/** The rules of what API servers tell each other of the versions in which they store objects. */
export const storageVersionDefinition = defineResource<StorageVersion>({
  resource: StorageVersion,
  nameRule: "path",
  requiresVersion: true,
  repeatedMetadataChecks: [],
  validateCreate: ({ metadata, status }) => [...validateName(metadata.name), ...validateStatus(status)],
  validateUpdate: updateChecks<StorageVersion>({ status: ({ status }) => validateStatus(status) }),
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    column("CommonEncodingVersion", "The version in which all servers encode objects of the resource", {
      value: ({ status }) => status?.commonEncodingVersion ?? unset,
    }),
    column("StorageVersions", "The version in which each server encodes objects of the resource", {
      value: ({ status }) => versionsText(status?.storageVersions ?? []),
    }),
    ageColumn,
  ],
  tracksGeneration: false,
});

function versionsText(versions: readonly ServerStorageVersion[]): string {
  if (versions.length === 0) return unset;
  const shown = versions
    .slice(0, mostShown)
    .map(({ apiServerID = "", encodingVersion = "" }) => `${apiServerID}=${encodingVersion}`)
    .join(",");
  const more = versions.length - mostShown;
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

function validateName(name: string): FieldError[] {
  if (name === "") return [];
  const path = FieldPath.root("metadata").child("name");
  const end = name.lastIndexOf(".");
  if (end < 0) return [fieldErrors.invalid(path, name, "name must be in the form of <group>.<resource>")];
  return invalidFor(path, name, [
    ...prefixed(isDNS1123Subdomain(name.slice(0, end)), "the group segment "),
    ...prefixed(isDNS1035Label(name.slice(end + 1)), "the resource segment "),
  ]);
}

const prefixed = (problems: Problems, prefix: string) => problems.map((problem) => prefix + problem);

function validateStatus(status: StorageVersionStatus | undefined): readonly FieldError[] {
  const path = FieldPath.root("status");
  const { storageVersions = [], conditions = [] } = status ?? {};
  return [
    ...storageVersions.flatMap((version, index) =>
      validateServer(version, path.child("storageVersions").index(index)),
    ),
    ...validateCommon(status ?? {}, path.child("commonEncodingVersion")),
    ...validateConditions(conditions, path),
  ];
}

function validateServer(version: ServerStorageVersion, path: FieldPath): FieldError[] {
  const { apiServerID = "", encodingVersion = "", decodableVersions } = version;
  const errors = [
    ...invalidFor(path.child("apiServerID"), apiServerID, isDNS1123Subdomain(apiServerID)),
    ...validateVersion(encodingVersion, path.child("encodingVersion")),
  ];
  const at = path.child("decodableVersions");
  for (const [index, decodable] of (decodableVersions ?? []).entries()) {
    errors.push(...validateVersion(decodable, at.index(index)));
  }
  if (decodableVersions?.includes(encodingVersion)) return errors;
  const why = `decodableVersions must include encodingVersion ${encodingVersion}`;
  return [...errors, fieldErrors.invalid(at, decodableVersions ?? nilList, why)];
}

function validateVersion(version: string, path: FieldPath): FieldError[] {
  return invalidJoined(path, version, versionProblems(version));
}

function versionProblems(apiVersion: string): Problems {
  const parts = apiVersion.split("/");
  const version = parts.at(-1) ?? "";
  if (parts.length > 2) return [versionProblem];
  const group = parts.length === 2 ? parts[0] : undefined;
  return [
    ...(group === undefined ? [] : prefixed(partProblems(group, isDNS1123Subdomain), "group part: ")),
    ...prefixed(partProblems(version, isDNS1035Label), "version part: "),
  ];
}

const partProblems = (part: string, check: (part: string) => Problems) =>
  part === "" ? [emptyProblem] : check(part);

function validateCommon(status: StorageVersionStatus, path: FieldPath): FieldError[] {
  const [first, ...others] = status.storageVersions ?? [];
  const isCommon = others.every(({ encodingVersion }) => encodingVersion === first?.encodingVersion);
  const actual = first !== undefined && isCommon ? (first.encodingVersion ?? "") : undefined;
  const told = status.commonEncodingVersion;
  if (actual === told) return [];
  if (actual === undefined) {
    const why =
      "should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet";
    return [fieldErrors.invalid(path, told, why)];
  }
  const what = told === undefined ? "the common encoding version" : "the actual common encoding version";
  return [fieldErrors.invalid(path, told, `${what} is ${actual}`)];
}

function validateConditions(conditions: readonly StorageVersionCondition[], path: FieldPath): FieldError[] {
  const seen = new Map<string, number>();
  return conditions.flatMap((condition, index) => {
    const { type, status, reason, message }: Partial<StorageVersionCondition> = condition;
    const at = path.index(index);
    const known = type ?? "";
    const first = seen.get(known);
    seen.set(known, index);
    const repeated = `the type of the condition is not unique, it also appears in conditions[${first ?? ""}]`;
    return [
      ...(first === undefined ? [] : [fieldErrors.invalid(at.child("type"), known, repeated)]),
      ...invalidFor(at.child("type"), known, isQualifiedName(known)),
      ...invalidFor(at.child("status"), known, isQualifiedName(status ?? "")),
      ...(reason ? [] : [fieldErrors.required(at.child("reason"), "reason cannot be empty")]),
      ...(message ? [] : [fieldErrors.required(at.child("message"), "message cannot be empty")]),
    ];
  });
}
