import type { Readable } from "node:stream";
import { drained } from "../http/drained.ts";
import type { BodyStream } from "../http/index.ts";

/** Writes all that comes, no faster than the client takes it; breaks the answer off when the source breaks. */
export async function copyBody(
  source: Readable,
  { body, signal }: { readonly body: BodyStream; readonly signal: AbortSignal },
): Promise<void> {
  try {
    for await (const chunk of source) {
      if (signal.aborted) return;
      if (!body.write(chunk as Uint8Array)) await drained(body, signal);
    }
    body.end();
  } catch {
    // The head is out: only the break tells the client.
    body.abort();
  } finally {
    source.destroy();
  }
}
