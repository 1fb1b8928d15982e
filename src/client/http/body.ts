import type { Readable } from "node:stream";
import { ApiError } from "../../apimachinery/index.ts";

/** The largest answer that a client reads at once: a full list of a big cluster fits. */
export const longestBody = 512 * 1024 * 1024;
/** The longest line of a watch: an event of the largest object that a server stores fits well. */
export const longestLine = 16 * 1024 * 1024;

/** All of a body. */
export async function readBody(stream: Readable, limit = longestBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) throw ApiError.tooLarge(`the server's answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The lines of a stream, in batches of those that arrived together. */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  limit = longestLine,
): AsyncGenerator<readonly string[]> {
  let partial: Uint8Array[] = [];
  let partialSize = 0;
  for await (const chunk of stream) {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      partial.push(chunk.subarray(start, end));
      const line = Buffer.concat(partial).toString("utf8");
      partial = [];
      partialSize = 0;
      if (line !== "") lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      partial.push(chunk.subarray(start));
      partialSize += chunk.length - start;
    }
    if (partialSize > limit) throw ApiError.tooLarge(`a watch event is larger than ${limit} bytes`);
    if (lines.length > 0) yield lines;
  }
}
