import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import type { IncomingHttpHeaders } from "node:http";
import type { ObjectReader } from "../reader.ts";
import { askBackend } from "./backend.ts";
import { identityHeaders } from "./identity-headers.ts";
import type { RemoteApi } from "./registered-apis.ts";
import { resolveService } from "../resolve-service.ts";

/** A document of an extension server. */
export interface RemoteDocument {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined where the status is not 200. */
  readonly value: unknown;
}

export interface FetchParts {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
}

/** A larger document is not read. */
const largestDocument = 32 * 1024 * 1024;
const aggregator = { name: "system:kube-aggregator", groups: ["system:masters"] };

/** Gets a document that an extension server has of itself; throws when there is none in time. */
export async function fetchDocument(
  { clock, ...parts }: FetchParts,
  asked: {
    readonly api: RemoteApi;
    readonly path: string;
    readonly accept: string;
    readonly etag?: string | undefined;
    readonly timeout: Milliseconds;
    readonly signal: AbortSignal;
  },
): Promise<RemoteDocument> {
  const { api, path, accept, etag, timeout, signal } = asked;
  if (api.problem !== undefined) throw new Error(api.problem);
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = clock.after(timeout, stop);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const answer = await askBackend(resolveService(parts, api.service), {
      agent: api.agent,
      method: "GET",
      path,
      headers: { ...identityHeaders(aggregator), accept, ...(etag ? { "if-none-match": etag } : {}) },
      signal: controller.signal,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > largestDocument) throw new Error(`${path} is larger than ${largestDocument} bytes`);
    }
    const { statusCode: status = 0, headers } = answer;
    const value: unknown = status === 200 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
    return { status, headers, value };
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", stop);
  }
}
