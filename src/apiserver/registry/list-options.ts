import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import type { ListOptions, WatchOptions } from "../../api/index.ts";

/** A list as clients ask for it: values of options may be none that there are. */
export type ListRequest = Omit<ListOptions, "resourceVersionMatch" | "signal"> & {
  readonly resourceVersionMatch?: string;
  readonly sendInitialEvents?: boolean;
};

/** A watch as clients ask for it. */
export type WatchRequest = Omit<WatchOptions, "signal"> & {
  readonly resourceVersionMatch?: string;
  readonly continue?: string;
  /** When the watch will end, in milliseconds since the epoch; a last bookmark comes shortly before. */
  readonly deadline?: number;
};

const matchPath = FieldPath.root("resourceVersionMatch");
const initialPath = FieldPath.root("sendInitialEvents");
const unlessVersion = "resourceVersionMatch is forbidden unless resourceVersion is provided";
const whenContinued = "resourceVersionMatch is forbidden when continue is provided";
const ofAnyVersion = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
const unlessInitial = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
const requiresMatch = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
const listMatches = ["Exact", "NotOlderThan", ""];
const watchMatches = ["NotOlderThan"];

/** Throws `Invalid` when options of a list contradict each other. */
export function checkListOptions(options: ListRequest): void {
  const { resourceVersion = "", resourceVersionMatch: match = "", sendInitialEvents } = options;
  if (match === "" && sendInitialEvents === undefined) return;
  const errors: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "") errors.push(fieldErrors.forbidden(matchPath, unlessVersion));
    if (options.continue) errors.push(fieldErrors.forbidden(matchPath, whenContinued));
    if (!listMatches.includes(match)) errors.push(fieldErrors.notSupported(matchPath, match, listMatches));
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(fieldErrors.forbidden(matchPath, ofAnyVersion));
    }
  }
  if (sendInitialEvents !== undefined) {
    errors.push(fieldErrors.forbidden(initialPath, "sendInitialEvents is forbidden for list"));
  }
  refuse(errors);
}

/** Throws `Invalid` when options of a watch contradict each other. */
export function checkWatchOptions(options: WatchRequest): void {
  const { resourceVersionMatch: match = "", sendInitialEvents } = options;
  if (match === "" && sendInitialEvents === undefined) return;
  const errors: FieldError[] = [];
  const isSupported = watchMatches.includes(match);
  if (sendInitialEvents !== undefined && !isSupported) {
    errors.push(fieldErrors.forbidden(matchPath, requiresMatch));
  }
  if (match !== "") {
    if (sendInitialEvents === undefined) errors.push(fieldErrors.forbidden(matchPath, unlessInitial));
    if (!isSupported) errors.push(fieldErrors.notSupported(matchPath, match, watchMatches));
    if (options.continue) errors.push(fieldErrors.forbidden(matchPath, whenContinued));
  }
  refuse(errors);
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}
