import { ApiError } from "../api-error.ts";
import { pathsOf, type FieldSet } from "./field-set.ts";
import type { Manager } from "./managers.ts";

/** Fields that an applied configuration would take from another manager. */
export interface Conflict {
  readonly identity: string;
  readonly manager: Manager;
  readonly set: FieldSet;
}

/** The error of an apply that would take fields from other managers. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const sorted = [...conflicts].sort((one, other) => (one.identity < other.identity ? -1 : 1));
  const found = sorted.map(({ manager, set }) => ({ who: managerText(manager), paths: pathsOf(set) }));
  const causes = found.flatMap(({ who, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${who}`, field })),
  );
  return new ApiError({
    message: conflictMessage(found, causes.length),
    reason: "Conflict",
    details: { causes },
    code: 409,
  });
}

function conflictMessage(
  found: readonly { readonly who: string; readonly paths: readonly string[] }[],
  count: number,
): string {
  if (count === 1) {
    return `Apply failed with 1 conflict: conflict with ${found[0]?.who}: ${found[0]?.paths[0]}`;
  }
  const lines = found.flatMap(({ who, paths }) => [
    `conflicts with ${who}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join("\n")}`;
}

/** A manager as conflicts name it. */
function managerText({ manager, subresource, operation, apiVersion }: Manager): string {
  const name = JSON.stringify(manager);
  const where = subresource === "" ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${where} using ${apiVersion}` : where;
}
