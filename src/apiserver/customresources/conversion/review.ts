import type { JsonValue } from "../../../apimachinery/index.ts";
import { goKind } from "../../../apimachinery/patch/index.ts";
import type { AnyObject } from "../../registry/entry.ts";

/** Versions of ConversionReview that are sent. */
type ReviewVersion = "v1" | "v1beta1";

/** What a webhook is asked, and how its answer will be read. */
export interface Review {
  readonly version: ReviewVersion;
  readonly uid: string;
}

/** An answer that is none, in upstream's words. */
export class ReviewError extends Error {
  override readonly name = "ReviewError";
}

const group = "apiextensions.k8s.io";

/** The first of the webhook's versions that is known here; undefined when none is. */
export const reviewVersionOf = (versions: readonly string[]): ReviewVersion | undefined =>
  versions.find((version): version is ReviewVersion => version === "v1" || version === "v1beta1");

/** The text of the ConversionReview that asks; stored objects come without the version that they have in the store. */
export function reviewText(
  { version, uid }: Review,
  { desired, objects }: { readonly desired: string; readonly objects: readonly string[] },
): string {
  const head = `{"kind":"ConversionReview","apiVersion":"${group}/${version}","request":{"uid":${JSON.stringify(uid)}`;
  const request = `"desiredAPIVersion":${JSON.stringify(desired)},"objects":[${objects.join(",")}]}`;
  // Upstream sends its empty answer, too.
  return `${head},${request},"response":{"uid":"","convertedObjects":null,"result":{"metadata":{}}}}\n`;
}

/** An object as a webhook is sent it. */
export function sentText(object: AnyObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** What an answer says that the objects are; throws `ReviewError`. */
export function convertedIn(answer: unknown, { version, uid }: Review): readonly unknown[] {
  if (!isRecord(answer)) {
    const kind = goKind(answer as JsonValue);
    throw new ReviewError(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${kind} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const { response } = answer;
  if (version === "v1") checkKind(answer);
  if (!isRecord(response)) throw new ReviewError("no response provided");
  if (version === "v1" && response["uid"] !== uid) {
    const got = JSON.stringify(textOf(response["uid"]));
    throw new ReviewError(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  const result = isRecord(response["result"]) ? response["result"] : {};
  const status = textOf(result["status"]);
  if (status !== "Success") {
    const message = textOf(result["message"]);
    throw new ReviewError(message || `response.result.status was '${status}', not 'Success'`);
  }
  const { convertedObjects } = response;
  return Array.isArray(convertedObjects) ? convertedObjects : [];
}

function checkKind(answer: Readonly<Record<string, unknown>>): void {
  const [apiVersion, kind] = [textOf(answer["apiVersion"]), textOf(answer["kind"])];
  if (apiVersion === `${group}/v1` && kind === "ConversionReview") return;
  const shown = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  throw new ReviewError(
    `expected webhook response of ${group}/v1, Kind=ConversionReview, got ${shown}, Kind=${kind}`,
  );
}
