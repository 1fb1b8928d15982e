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

/** What is wrong with the request's conditions by themselves. */
export function validateConditions(request: CertificateSigningRequest): readonly FieldError[] {
  const conditions = request.status?.conditions ?? [];
  return conditions.flatMap((condition, index) =>
    validateCondition(condition, {
      path: FieldPath.root("status").child("conditions").index(index),
      earlier: new Set(conditions.slice(0, index).map(({ type }) => type)),
    }),
  );
}

function validateCondition(
  { type, status }: CertificateSigningRequestCondition,
  { path, earlier }: { path: FieldPath; earlier: ReadonlySet<string> },
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!type) errors.push(fieldErrors.required(path.child("type")));
  const allowed = verdicts.has(type) ? ["True"] : anyStatus;
  if (!status) errors.push(fieldErrors.required(path.child("status")));
  else if (!allowed.includes(status)) {
    errors.push(fieldErrors.notSupported(path.child("status"), status, allowed));
  }
  const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
  if (opposite !== undefined && earlier.has(opposite)) {
    const why = "Approved and Denied conditions are mutually exclusive";
    errors.push(fieldErrors.invalid(path.child("type"), type, why));
  }
  if (earlier.has(type)) errors.push(fieldErrors.duplicate(path.child("type"), type));
  return errors;
}

/** What may not change: a verdict is final, and only `approval` gives one; an issued certificate stays. */
export function validateConditionUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  subresource: string | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [...validateConditions(request)];
  const path = FieldPath.root("status").child("conditions");
  for (const type of ["Approved", "Denied", "Failed"]) {
    const before = countOf(old, type);
    const after = countOf(request, type);
    if (after < before) {
      errors.push(
        fieldErrors.forbidden(path, `updates may not remove a condition of type ${JSON.stringify(type)}`),
      );
    } else if (after > before && type !== "Failed" && subresource !== "approval") {
      errors.push(
        fieldErrors.forbidden(path, `updates may not add a condition of type ${JSON.stringify(type)}`),
      );
    }
  }
  const certificate = old.status?.certificate;
  if (certificate && request.status?.certificate !== certificate) {
    errors.push(
      fieldErrors.forbidden(
        FieldPath.root("status").child("certificate"),
        "updates may not modify existing certificate content",
      ),
    );
  }
  return errors;
}

const countOf = ({ status }: CertificateSigningRequest, type: string): number =>
  (status?.conditions ?? []).filter((condition) => condition.type === type).length;
