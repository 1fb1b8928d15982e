import { request as httpsRequest } from "node:https";
import type { RequestOptions } from "node:https";

/** An answer read to its end. */
export interface TextAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Sends one request over HTTP/1.1; with a `timeout`, an answer that never ends fails. */
export function exchangeHttps(options: RequestOptions, body?: string | Uint8Array): Promise<TextAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.once("timeout", () =>
      request.destroy(new Error(`no end of ${options.method ?? "GET"} ${options.path ?? "/"}`)),
    );
    request.once("error", reject);
    request.end(body);
  });
}
