import { ApiError } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { Core } from "./context.ts";

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
export async function untilFresh(core: Core, resourceVersion: string): Promise<void> {
  const { caches, clock } = core;
  const asked = parseVersion(resourceVersion);
  if (asked <= caches.revision) return;
  if (await caches.reachedWithin(asked, { clock, time: freshnessTimeout })) return;
  throw new ApiError({
    message: `Timeout: Too large resource version: ${resourceVersion}, current: ${caches.revision}`,
    reason: "Timeout",
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    code: 504,
  });
}
