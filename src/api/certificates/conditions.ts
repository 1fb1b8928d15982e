import { timestampOf } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../types/certificates-v1.ts";

/** Verdicts: each is true, or not there at all. */
const verdicts = new Set(["Approved", "Denied", "Failed"]);
const anyStatus = ["False", "True", "Unknown"];

/** The request with the times of its conditions filled in, as of `now` where nothing older says the same. */
export function withConditionTimes(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  now: number,
): CertificateSigningRequest {
  const { conditions } = request.status ?? {};
  if (!conditions?.length) return request;
  const time = timestampOf(now);
  const timed = conditions.map((condition) => ({
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? time,
    lastTransitionTime:
      condition.lastTransitionTime ??
      old.status?.conditions?.find(
        ({ type, status, lastTransitionTime }) =>
          type === condition.type && status === condition.status && lastTransitionTime,
      )?.lastTransitionTime ??
      time,
  }));
  return { ...request, status: { ...request.status, conditions: timed } };
}

/** The request with verdicts as they were: only `approval` changes them; added or removed ones stay, to be refused. */
export function withVerdictsOf(
  old: CertificateSigningRequest,
  request: CertificateSigningRequest,
): CertificateSigningRequest {
  const before = old.status?.conditions ?? [];
  let conditions = request.status?.conditions ?? [];
  for (const type of ["Approved", "Denied"]) {
    const kept = before.filter((condition) => condition.type === type);
    if (conditions.filter((condition) => condition.type === type).length !== kept.length) continue;
    let next = 0;
    conditions = conditions.map((condition) =>
      condition.type === type ? (kept[next++] ?? condition) : condition,
    );
  }
  return conditions.length === 0 ? request : { ...request, status: { ...request.status, conditions } };
}

/** What old objects are let keep, and their successors. */
interface LetsThrough {
  readonly bothVerdicts: boolean;
  readonly emptyTypes: boolean;
  readonly repeatedTypes: boolean;
}

/** Which faults of its conditions an old request has, so that a change may keep them. */
export function faultsOf(old: CertificateSigningRequest | undefined): LetsThrough {
  const types = (old?.status?.conditions ?? []).map(({ type }) => type);
  return {
    bothVerdicts: types.includes("Approved") && types.includes("Denied"),
    emptyTypes: types.includes(""),
    repeatedTypes: new Set(types).size < types.length,
  };
}

/** What is wrong with the request's conditions by themselves, besides the faults that are let through. */
export function validateConditions(
  request: CertificateSigningRequest,
  letsThrough: LetsThrough,
): readonly FieldError[] {
  const conditions = request.status?.conditions ?? [];
  const path = FieldPath.root("status").child("conditions");
  return conditions.flatMap((condition, index) => [
    ...validateCondition(condition, {
      path,
      index,
      letsThrough,
      earlier: new Set(conditions.slice(0, index).map(({ type }) => type)),
    }),
  ]);
}

function validateCondition(
  { type, status }: CertificateSigningRequestCondition,
  at: {
    readonly path: FieldPath;
    readonly index: number;
    readonly earlier: ReadonlySet<string>;
    readonly letsThrough: LetsThrough;
  },
): readonly FieldError[] {
  const { path, earlier, letsThrough } = at;
  const own = path.index(at.index);
  const errors: FieldError[] = [];
  if (!type && !letsThrough.emptyTypes) errors.push(fieldErrors.required(own.child("type")));
  const allowed = verdicts.has(type) ? ["True"] : anyStatus;
  if (!status) errors.push(fieldErrors.required(own.child("status")));
  else if (!allowed.includes(status)) {
    errors.push(fieldErrors.notSupported(own.child("status"), status, allowed));
  }
  const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
  if (opposite !== undefined && earlier.has(opposite) && !letsThrough.bothVerdicts) {
    const why = "Approved and Denied conditions are mutually exclusive";
    errors.push(fieldErrors.invalid(path, type, why));
  }
  if (earlier.has(type) && !letsThrough.repeatedTypes) {
    errors.push(fieldErrors.duplicate(own.child("type"), type));
  }
  return errors;
}

/** What is wrong with a change of verdicts: they are final, and only who `mayGive` them gives some. */
export function validateVerdicts(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { mayGive }: { readonly mayGive: boolean },
): FieldError[] {
  const path = FieldPath.root("status").child("conditions");
  const told = (types: readonly string[], what: "add" | "remove") =>
    types.map((type) =>
      fieldErrors.forbidden(path, `updates may not ${what} a condition of type ${JSON.stringify(type)}`),
    );
  const removed = [...verdicts].filter((type) => countOf(request, type) < countOf(old, type));
  const added = ["Approved", "Denied"].filter((type) => countOf(request, type) > countOf(old, type));
  return [...told(removed, "remove"), ...told(mayGive ? [] : added, "add")];
}

const countOf = ({ status }: CertificateSigningRequest, type: string): number =>
  (status?.conditions ?? []).filter((condition) => condition.type === type).length;
