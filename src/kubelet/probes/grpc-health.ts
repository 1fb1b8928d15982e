import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Milliseconds } from "../../base/index.ts";
import type { AttemptResult } from "./handlers.ts";

const path = "/grpc.health.v1.Health/Check";
const serving = 1;
const field = (number: number, wire: number) => (number << 3) | wire;

/** Asks a server for its health by the gRPC health checking protocol. */
export function grpcHealth(
  address: string,
  options: { readonly service: string; readonly timeout: Milliseconds },
): Promise<AttemptResult> {
  const client = new Client(address, credentials.createInsecure());
  const name = Buffer.from(options.service);
  // Names are shorter than 128 bytes, so that one byte holds the length.
  const request = name.length === 0 ? name : Buffer.concat([Buffer.from([field(1, 2), name.length]), name]);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => (bytes[0] === field(1, 0) ? (bytes[1] ?? 0) : 0),
      request,
      new Metadata(),
      { deadline: Date.now() + options.timeout },
      (error, status) => {
        client.close();
        if (error)
          resolve({
            success: false,
            output: `timeout: failed to connect service "${address}" within ${options.timeout / 1000}s: ${error.details}`,
          });
        else if (status === serving) resolve({ success: true, output: "service healthy" });
        else resolve({ success: false, output: `service unhealthy (responded with "NOT_SERVING")` });
      },
    );
  });
}
