import { ApiError } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import { fromStoreError } from "./context.ts";
import type { Core } from "./context.ts";
import type { ServedResource } from "./served.ts";

/** How long a read waits for a version that is not there yet. */
export const freshnessTimeout: Milliseconds = 3_000;
const largest = 2n ** 64n - 1n;

/** A resourceVersion as a number; 0 for none. Upstream reports what is no number as a fault of its own, but in lists. */
export function parseVersion(text: string): number {
  const flaw = flawOf(text);
  if (flaw !== undefined) throw new ApiError({ message: flaw, code: 500 });
  return Number(text);
}

/** The resourceVersion of a list as a number; 0 for none. */
export function parseListVersion(text: string): number {
  const flaw = flawOf(text);
  if (flaw !== undefined) throw ApiError.badRequest(`invalid resource version: ${flaw}`);
  return Number(text);
}

function flawOf(text: string): string | undefined {
  if (text === "") return undefined;
  const isNumber = /^\d+$/.test(text);
  if (isNumber && BigInt(text) <= largest) return undefined;
  const why = isNumber ? "value out of range" : "invalid syntax";
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
}

/** Settles when the state is not older than the version; throws when it does not come in time. */
async function untilFresh(core: Core, resourceVersion: string): Promise<void> {
  const asked = parseVersion(resourceVersion);
  if (asked <= core.caches.revision) return;
  await untilReached(core, { revision: asked, shown: resourceVersion });
}

/** What a read must wait for to be of the version, or of the newest one when it names none; undefined when it is there. */
export function untilVersion(
  core: Core,
  served: ServedResource,
  resourceVersion: string,
): Promise<void> | undefined {
  if (resourceVersion === "") return untilCurrent(core, served);
  return parseVersion(resourceVersion) > core.caches.revision ? untilFresh(core, resourceVersion) : undefined;
}

/**
 * Settles when the state has all that was written before the call, by whatever server; undefined when it has anyhow.
 * Whoever decides by what is there waits for it first.
 */
export function untilCurrent(core: Core, served: ServedResource): Promise<void> | undefined {
  const newest = core.caches.newest();
  return newest && observed(core, served, untilNewest(core, { served, newest }));
}

/** The same wait, of which the observer hears. */
async function observed(
  { storageUse: { observer } }: Core,
  served: ServedResource,
  wait: Promise<void>,
): Promise<void> {
  if (!observer) return wait;
  const started = observer.now();
  let isFresh = false;
  try {
    await wait;
    isFresh = true;
  } finally {
    observer.waited(served, { seconds: observer.now() - started, isFresh });
  }
}

async function untilNewest(
  core: Core,
  { served, newest }: { readonly served: ServedResource; readonly newest: Promise<number> },
): Promise<void> {
  let revision: number;
  try {
    revision = await newest;
  } catch (error) {
    throw fromStoreError(error, { served, name: "" });
  }
  if (revision > core.caches.revision) await untilReached(core, { revision, shown: String(revision) });
}

async function untilReached(
  { caches, clock }: Core,
  { revision, shown }: { readonly revision: number; readonly shown: string },
): Promise<void> {
  if (await caches.reachedWithin(revision, { clock, time: freshnessTimeout })) return;
  throw new ApiError({
    message: `Timeout: Too large resource version: ${shown}, current: ${caches.revision}`,
    reason: "Timeout",
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    code: 504,
  });
}
