import { Agent } from "node:https";
import { exchangeHttps } from "../lib/exchange-https.ts";
import type { TextAnswer } from "../lib/exchange-https.ts";

/** One request of the corpus, with its placeholders filled in. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What a server answers. */
export type Answer = TextAnswer;

/** An API server that requests are sent to, as an administrator. */
export interface Server {
  send(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

export interface Endpoint {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const requestTimeout = 30_000;

/** Sends requests over HTTP/1.1; a body that never ends fails. */
export class Connection {
  private readonly agent: Agent;
  private readonly port: number;

  constructor({ port, ca, cert, key }: Endpoint) {
    this.port = port;
    this.agent = new Agent({ keepAlive: true, ca, cert, key });
  }

  send({ method, path, headers, body }: Request): Promise<Answer> {
    const { port, agent } = this;
    // Node frames no body of a DELETE by itself.
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = { ...length, ...headers };
    const options = { host: "127.0.0.1", port, path, method, agent, headers: sent, timeout: requestTimeout };
    return exchangeHttps(options, body);
  }

  close(): void {
    this.agent.destroy();
  }
}
