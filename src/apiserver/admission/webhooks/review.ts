import { ApiError } from "../../../apimachinery/index.ts";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
  Status,
  StructType,
} from "../../../apimachinery/index.ts";
import { decodeBase64, decodeValue, unreadableKind } from "../../../apimachinery/codec/index.ts";
import { schemas } from "../../../api/index.ts";
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

/** An answer that says what it must not, in upstream's words. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
}

/** An AdmissionReview as it comes back. */
interface ReviewAnswer {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: Partial<Status>;
    readonly patch?: string;
    readonly patchType?: string;
    readonly auditAnnotations?: Readonly<Record<string, string>>;
    readonly warnings?: readonly string[];
  };
}

const group = "admission.k8s.io";
const kind = "AdmissionReview";

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
    kind,
    apiVersion: `${group}/${version}`,
    request: { uid, ...facts, object: shownObject(object), oldObject: shownObject(old), dryRun, options },
  };
}

/** Both versions of AdmissionReview have the same fields. */
const answerType = (): StructType => schemas.typeOf({ group, version: "v1", kind }) as StructType;

/** How upstream names the place where it knows the kinds of answers. */
const scheme = "k8s.io/apiserver/pkg/util/webhook/client.go:69";
const known: Readonly<Record<string, string>> = {
  [`${group}/v1 ${kind}`]: `v1.${kind}`,
  [`${group}/v1beta1 ${kind}`]: `v1beta1.${kind}`,
  "v1 Status": "v1.Status",
};

/** What JSON says as an AdmissionReview. Throws `ReviewError` or `DecodeError` in the words of upstream's decoder. */
export function answerOf(value: unknown, { version }: Review): ReviewAnswer {
  if (value === null) return {};
  const unreadable = unreadableKind(() => value);
  if (unreadable !== undefined) throw new ReviewError(unreadable);
  const { apiVersion, kind: named } = value as { readonly apiVersion?: string; readonly kind?: string };
  const identity = `${apiVersion || `${group}/${version}`} ${named || kind}`;
  const found = known[identity];
  if (found === undefined) {
    const [ofVersion, wanted] = [apiVersion || `${group}/${version}`, named || kind].map((text) =>
      JSON.stringify(text),
    );
    throw new ReviewError(
      `no kind ${wanted} is registered for version ${ofVersion} in scheme ${JSON.stringify(scheme)}`,
    );
  }
  if (identity !== `${group}/${version} ${kind}`) {
    throw new ReviewError(`converting (${found}) to (${version}.${kind}): unknown conversion`);
  }
  return decodeValue(value, answerType()).object;
}

/** What the answer to a review says. Throws `ReviewError` where it does not fit what was asked. */
export function verdictOf(answer: ReviewAnswer, review: Review): Verdict {
  const { response } = answer;
  if (!response) throw new ReviewError("webhook response was absent");
  if (review.version === "v1") checkIdentity(answer, review);
  const { allowed = false, patch = "", status, warnings, auditAnnotations } = response;
  const patchType = patchTypeOf(response, review);
  return {
    allowed,
    patch: review.mutating && patch !== "" ? textDecoder.decode(decodeBase64(patch)) : "",
    patchType,
    result: status,
    warnings: warnings ?? [],
    auditAnnotations: auditAnnotations ?? {},
  };
}

const textDecoder = new TextDecoder();

function checkIdentity({ apiVersion = "", kind: named = "", response }: ReviewAnswer, { uid }: Review): void {
  if (response?.uid !== uid) {
    const got = JSON.stringify(response?.uid ?? "");
    throw new ReviewError(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  if (apiVersion === `${group}/v1` && named === kind) return;
  const shown = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  throw new ReviewError(
    `expected webhook response of ${group}/v1, Kind=${kind}, got ${shown}, Kind=${named}`,
  );
}

function patchTypeOf(
  { patch = "", patchType }: NonNullable<ReviewAnswer["response"]>,
  { version, mutating }: Review,
): string {
  if (version === "v1beta1") return "JSONPatch";
  const hasType = patchType !== undefined && patchType !== null;
  if (!mutating) {
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
  if (patchType === "") throw new ReviewError('webhook returned invalid response.patchType of ""');
  return patchType ?? "";
}

const codes = { leastError: 400, highest: 999, internal: 500 };

/** The refusal of a webhook, as the client gets it. */
export function denial(name: string, result: Partial<Status> = {}): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const { status: _, code = 0, message = "", reason = "", kind: __, apiVersion: ___, ...rest } = result;
  const why = message || reason;
  return new ApiError({
    ...rest,
    message: why === "" ? `${denied} without explanation` : `${denied}: ${why}`,
    ...(reason ? { reason } : {}),
    // What HTTP has no room for, no client would understand.
    code: code > codes.highest ? codes.internal : Math.max(code, codes.leastError),
  });
}
