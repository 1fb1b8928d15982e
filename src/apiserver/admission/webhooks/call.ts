import { applyJsonPatch, ApiError } from "../../../apimachinery/index.ts";
import type { JsonObject, KubernetesObject } from "../../../apimachinery/index.ts";
import type { Random } from "../../../base/index.ts";
import { completed } from "../../registry/coding.ts";
import { decodeChanged } from "../../registry/patched.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import type { ShownObjects } from "../dynamic/activation.ts";
import type { Hook, Webhook } from "./hooks.ts";
import { denial, ReviewError, reviewOf, reviewVersionOf, verdictOf } from "./review.ts";
import type { Verdict } from "./review.ts";

/** Sends a body of JSON to a webhook and answers what it says; rejects with `HookCallError`. */
export type PostToHook = (call: {
  readonly clientConfig: Webhook["clientConfig"];
  readonly timeoutSeconds: number;
  readonly body: string;
  /** Bytes of the longest answer that is read. */
  readonly longestAnswer?: number;
  readonly signal?: AbortSignal;
}) => Promise<unknown>;

/** A webhook that could not be asked, with the status that metrics show of it. */
export class HookCallError extends Error {
  override readonly name = "HookCallError";
  readonly code: number;

  constructor(message: string, { code = 503 }: { readonly code?: number } = {}) {
    super(message);
    this.code = code;
  }
}

/** A request on its way to a webhook. */
export interface HookCall {
  readonly attributes: Attributes;
  readonly shown: Shown;
  readonly objects: ShownObjects;
  readonly mutating: boolean;
}

const defaultTimeoutSeconds = 10;

/** Asks a webhook; throws the API's error for a refusal and `HookCallError` where there is no answer. */
export async function ask(
  { webhook }: Hook,
  call: HookCall,
  { post, random }: { readonly post: PostToHook; readonly random: Random },
): Promise<Verdict> {
  const { attributes, shown, objects, mutating } = call;
  const { name, sideEffects, clientConfig, timeoutSeconds = defaultTimeoutSeconds } = webhook;
  const { request } = attributes;
  if (request.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
    throw ApiError.badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const version = reviewVersionOf(webhook.admissionReviewVersions);
  if (!version) {
    throw new HookCallError(
      "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
      { code: 400 },
    );
  }
  const review = { version, uid: random.uuid(), mutating };
  const body = JSON.stringify(reviewOf(review, { attributes, shown, ...objects }));
  const answer = await post({ clientConfig, timeoutSeconds, body }).catch((error: unknown) => {
    throw error instanceof HookCallError ? uncalled(error) : error;
  });
  const verdict = readVerdict(() => verdictOf(answer, review));
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    request.annotate?.(`${name}/${key}`, value);
  }
  for (const warning of verdict.warnings) request.warn?.(warning);
  if (!verdict.allowed) throw denial(name, verdict.result);
  return verdict;
}

const uncalled = ({ message, code }: HookCallError): HookCallError =>
  new HookCallError(`failed to call webhook: ${message}`, { code });

function readVerdict(read: () => Verdict): Verdict {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ReviewError)) throw error;
    throw new HookCallError(`received invalid webhook response: ${error.message}`);
  }
}

/** The object with a webhook's patch; the same one when there is nothing to do. */
export function patchedObject(
  { webhook: { name } }: Hook,
  { patch, patchType }: Verdict,
  { object, shown }: { readonly object: KubernetesObject | undefined; readonly shown: Shown },
): KubernetesObject | undefined {
  const operations = operationsOf(patch);
  if (operations.length === 0) return object;
  if (!object) {
    throw ApiError.internal(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  if (patchType !== "JSONPatch") {
    throw new HookCallError(`unsupported patch type ${JSON.stringify(patchType)}`, { code: 400 });
  }
  const before = object as unknown as JsonObject;
  return internally(() => {
    const patched = applyJsonPatch(before, operations);
    const { served, kind } = shown;
    const isOwn = kind.kind === served.resource.kind && kind.group === served.resource.group;
    if (!isOwn) return patched as unknown as KubernetesObject;
    const { object: decoded } = decodeChanged(patched, before, { type: served.type, strict: false });
    return completed(served, decoded);
  });
}

function operationsOf(patch: string): readonly unknown[] {
  if (patch === "") return [];
  try {
    const operations: unknown = JSON.parse(patch);
    if (Array.isArray(operations)) return operations;
    if (operations === null) return [];
    throw new SyntaxError(
      `json: cannot unmarshal ${typeof operations} into Go value of type jsonpatch.Patch`,
    );
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HookCallError(`received undecodable patch in webhook response: ${error.message}`);
  }
}

/** What goes wrong with a patch is no fault of the client's. */
function internally<T>(apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw ApiError.internal(error.message);
  }
}
