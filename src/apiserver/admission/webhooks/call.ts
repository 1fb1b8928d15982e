import { ApiError, isQualifiedName, JsonPatchError, performJsonPatch } from "../../../apimachinery/index.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../../../apimachinery/index.ts";
import { DecodeError, parseJson } from "../../../apimachinery/codec/index.ts";
import { goKind } from "../../../apimachinery/patch/index.ts";
import type { Clock, Random } from "../../../base/index.ts";
import { completed } from "../../registry/coding.ts";
import { decodeChanged } from "../../registry/patched.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import type { ShownObjects } from "../dynamic/activation.ts";
import { nestingProblem } from "./depth.ts";
import type { Hook, Webhook } from "./hooks.ts";
import { answerOf, ReviewError, reviewOf, reviewVersionOf, verdictOf } from "./review.ts";
import type { Review, Verdict } from "./review.ts";

/** Sends a body of JSON to a webhook and answers what it says; rejects with `HookCallError`. */
export type PostToHook = (call: {
  readonly clientConfig: Webhook["clientConfig"];
  readonly timeoutSeconds: number;
  readonly body: string;
  /** Bytes of the longest answer that is read. */
  readonly longestAnswer?: number;
  readonly signal?: AbortSignal;
}) => Promise<unknown>;

/** A webhook that could not be asked, with the status that metrics show of it; absent: none came. */
export class HookCallError extends Error {
  override readonly name = "HookCallError";
  readonly code: number | undefined;

  constructor(message: string, { code }: { readonly code?: number | undefined } = {}) {
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
const millisecondsPerSecond = 1_000;
const badRequest = 400;
const unavailable = 503;

/** Asks a webhook; throws `HookCallError` where there is no answer, the API's error where it must not be asked. */
export async function ask(
  { webhook }: Hook,
  call: HookCall,
  parts: { readonly post: PostToHook; readonly random: Random; readonly clock: Clock },
): Promise<Verdict> {
  const { attributes, shown, objects, mutating } = call;
  const { name, sideEffects, clientConfig } = webhook;
  const { request } = attributes;
  if (request.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
    throw ApiError.badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const version = reviewVersionOf(webhook.admissionReviewVersions);
  if (!version) {
    throw new HookCallError(
      "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
      { code: badRequest },
    );
  }
  const review = { version, uid: parts.random.uuid(), mutating };
  const answer = await parts
    .post({
      clientConfig,
      timeoutSeconds: timeLeft(call, { webhook, clock: parts.clock }),
      body: JSON.stringify(reviewOf(review, { attributes, shown, ...objects })),
      ...(request.lifetime ? { signal: request.lifetime.exchange.signal } : {}),
    })
    .catch((error: unknown) => {
      throw error instanceof HookCallError ? uncalled(error) : error;
    });
  const verdict = readVerdict(answer, review);
  for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
    const annotation = `${name}/${key}`;
    if (isQualifiedName(annotation).length === 0) request.annotate?.(annotation, value);
  }
  for (const warning of verdict.warnings) request.warn?.(warning);
  return verdict;
}

/** Seconds that the webhook has: its own, but no more than are left of the request's. */
function timeLeft(
  { attributes }: HookCall,
  { webhook, clock }: { readonly webhook: Webhook; readonly clock: Clock },
): number {
  const { timeoutSeconds = defaultTimeoutSeconds } = webhook;
  const { deadline = Infinity } = attributes.request.lifetime ?? {};
  return Math.min(timeoutSeconds, Math.max(deadline - clock.now(), 0) / millisecondsPerSecond);
}

const uncalled = ({ message, code }: { readonly message: string; readonly code?: number | undefined }) =>
  new HookCallError(`failed to call webhook: ${message}`, { code });

function readVerdict(value: unknown, review: Review): Verdict {
  const answer = reading(() => answerOf(value, review), uncalled);
  return reading(
    () => verdictOf(answer, review),
    ({ message }) =>
      new HookCallError(`received invalid webhook response: ${message}`, { code: unavailable }),
  );
}

function reading<T>(read: () => T, failure: (error: Error) => HookCallError): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ReviewError || error instanceof DecodeError) throw failure(error);
    throw error;
  }
}

/** The object with a webhook's patch; the same one when there is nothing to do. */
export function applyVerdict(
  { webhook: { name } }: Hook,
  { patch, patchType, result }: Verdict,
  { object, shown }: { readonly object: KubernetesObject | undefined; readonly shown: Shown },
): { readonly object: KubernetesObject | undefined; readonly operations?: readonly JsonValue[] } {
  const operations = operationsOf(patch);
  if (operations.length === 0) return { object };
  if (!object) {
    throw ApiError.internal(
      `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  if (patchType !== "JSONPatch") {
    const code = Math.max(result?.code ?? 0, badRequest);
    throw new HookCallError(`unsupported patch type ${JSON.stringify(patchType)}`, { code });
  }
  return { object: patchedObject(object, { operations, shown }), operations };
}

function patchedObject(
  object: KubernetesObject,
  { operations, shown }: { readonly operations: readonly JsonValue[]; readonly shown: Shown },
): KubernetesObject {
  const before = object as unknown as JsonObject;
  try {
    const patched = performJsonPatch(before, operations);
    requireKind(patched, before);
    const { served, kind } = shown;
    const isOwn = kind.kind === served.resource.kind && kind.group === served.resource.group;
    if (!isOwn) return patched as unknown as KubernetesObject;
    const { object: decoded } = decodeChanged(patched, before, { type: served.type, strict: false });
    return completed(served, decoded);
  } catch (error) {
    // What goes wrong with a patch is no fault of the client's.
    if (error instanceof JsonPatchError || error instanceof DecodeError)
      throw ApiError.internal(error.message);
    throw error;
  }
}

/** How upstream names the place where it knows the kinds of objects. */
const scheme = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30";

/** A patch makes no object one of another kind. */
function requireKind(patched: JsonObject, before: JsonObject): void {
  const apiVersion = patched["apiVersion"] || before["apiVersion"];
  const kind = patched["kind"] || before["kind"];
  if (apiVersion === before["apiVersion"] && kind === before["kind"]) return;
  const [named, version] = [kind, apiVersion].map((text) => JSON.stringify(text));
  throw ApiError.internal(`no kind ${named} is registered for version ${version} in scheme "${scheme}"`);
}

/** Operations that one patch may have: each takes its time, whatever it does. */
const maximumOperations = 10_000;

function operationsOf(patch: string): readonly JsonValue[] {
  if (patch === "") return [];
  const undecodable = (why: string) =>
    new HookCallError(`received undecodable patch in webhook response: ${why}`, { code: unavailable });
  const unmarshal = (value: JsonValue, type: string) =>
    undecodable(`json: cannot unmarshal ${goKind(value)} into Go value of type jsonpatch.${type}`);
  const nesting = nestingProblem(patch);
  if (nesting !== undefined) throw undecodable(nesting);
  const operations = reading(
    () => parseJson(patch) as JsonValue,
    ({ message }) => undecodable(message),
  );
  if (operations === null) return [];
  if (!Array.isArray(operations)) throw unmarshal(operations, "Patch");
  if (operations.length > maximumOperations) {
    throw undecodable(
      `The allowed maximum operations in a JSON patch is ${maximumOperations}, got ${operations.length}`,
    );
  }
  for (const operation of operations as readonly JsonValue[]) {
    if (operation === null || (typeof operation === "object" && !Array.isArray(operation))) continue;
    throw unmarshal(operation, "Operation");
  }
  return operations as readonly JsonValue[];
}
