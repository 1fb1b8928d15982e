import { ApiError } from "../../../apimachinery/index.ts";
import type { JsonObject, JsonValue, KubernetesObject, Status } from "../../../apimachinery/index.ts";
import { requestFacts } from "../dynamic/request-facts.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";

/** Versions of AdmissionReview that are sent. */
export type ReviewVersion = "v1" | "v1beta1";

/** What a webhook is asked, and how its answer will be read. */
export interface Review {
  readonly version: ReviewVersion;
  readonly uid: string;
  readonly mutating: boolean;
}

/** A webhook's answer, whatever version it came in. */
export interface Verdict {
  readonly allowed: boolean;
  /** Text of a JSON patch. */
  readonly patch: string;
  readonly patchType: string;
  readonly result: Partial<Status> | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** An answer that is none, in upstream's words. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
}

const group = "admission.k8s.io";

/** The first of the webhook's versions that is known here; undefined when none is. */
export const reviewVersionOf = (versions: readonly string[]): ReviewVersion | undefined =>
  versions.find((version): version is ReviewVersion => version === "v1" || version === "v1beta1");

/** The AdmissionReview that asks. */
export function reviewOf(
  { version, uid }: Review,
  {
    attributes,
    shown,
    object,
    old,
  }: {
    readonly attributes: Attributes;
    readonly shown: Shown;
    readonly object: KubernetesObject | undefined;
    readonly old: KubernetesObject | undefined;
  },
): JsonObject {
  const shownObject = (value: KubernetesObject | undefined) => (value ?? null) as unknown as JsonValue;
  const { options = null, dryRun = false, ...facts } = requestFacts(attributes, shown);
  return {
    kind: "AdmissionReview",
    apiVersion: `${group}/${version}`,
    request: { uid, ...facts, object: shownObject(object), oldObject: shownObject(old), dryRun, options },
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Reads the answer to a review; throws `ReviewError`. */
export function verdictOf(answer: unknown, review: Review): Verdict {
  if (!isRecord(answer)) {
    const kind = Array.isArray(answer) ? "array" : typeof answer;
    throw new ReviewError(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${kind} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const { response } = answer;
  if (!isRecord(response)) throw new ReviewError("webhook response was absent");
  if (review.version === "v1") checkIdentity(answer, response, review);
  const patch = decodedPatch(response["patch"]);
  const patchType = patchTypeOf(response, { review, patch });
  return {
    allowed: response["allowed"] === true,
    patch: review.mutating ? patch : "",
    patchType,
    result: isRecord(response["status"]) ? response["status"] : undefined,
    warnings: Array.isArray(response["warnings"]) ? response["warnings"].map(textOf) : [],
    auditAnnotations: isRecord(response["auditAnnotations"])
      ? Object.fromEntries(Object.entries(response["auditAnnotations"]).map(([key, to]) => [key, textOf(to)]))
      : {},
  };
}

function checkIdentity(
  answer: Readonly<Record<string, unknown>>,
  response: Readonly<Record<string, unknown>>,
  { uid }: Review,
): void {
  if (response["uid"] !== uid) {
    const got = JSON.stringify(textOf(response["uid"]));
    throw new ReviewError(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  const [apiVersion, kind] = [textOf(answer["apiVersion"]), textOf(answer["kind"])];
  if (apiVersion === `${group}/v1` && kind === "AdmissionReview") return;
  const shown = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  throw new ReviewError(
    `expected webhook response of ${group}/v1, Kind=AdmissionReview, got ${shown}, Kind=${kind}`,
  );
}

function patchTypeOf(
  response: Readonly<Record<string, unknown>>,
  { review, patch }: { readonly review: Review; readonly patch: string },
): string {
  if (review.version === "v1beta1") return "JSONPatch";
  const hasType = response["patchType"] !== undefined && response["patchType"] !== null;
  if (!review.mutating) {
    if (patch !== "") throw new ReviewError("validating webhook may not return response.patch");
    if (hasType) throw new ReviewError("validating webhook may not return response.patchType");
    return "";
  }
  if (patch !== "" && !hasType) {
    throw new ReviewError("webhook returned response.patch but not response.patchType");
  }
  if (patch === "" && hasType) {
    throw new ReviewError("webhook returned response.patchType but not response.patch");
  }
  const type = textOf(response["patchType"]);
  if (hasType && type === "") throw new ReviewError('webhook returned invalid response.patchType of ""');
  return type;
}

/** The text of a patch, which comes as base64. */
function decodedPatch(patch: unknown): string {
  if (patch === undefined || patch === null || patch === "") return "";
  try {
    const bytes = Uint8Array.from(atob(textOf(patch)), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    throw new ReviewError("illegal base64 data at input byte 0");
  }
}

const leastErrorCode = 400;

/** The refusal of a webhook, as the client gets it. */
export function denial(name: string, result: Partial<Status> = {}): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const { status: _, code = 0, message = "", reason = "", kind: __, apiVersion: ___, ...rest } = result;
  const why = message || reason;
  return new ApiError({
    ...rest,
    message: why === "" ? `${denied} without explanation` : `${denied}: ${why}`,
    ...(reason ? { reason } : {}),
    code: code < leastErrorCode ? leastErrorCode : code,
  });
}
