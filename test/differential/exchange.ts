import { Agent, request as httpsRequest } from "node:https";

/** One request of the corpus, with its placeholders filled in. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

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
      request.once("timeout", () => request.destroy(new Error(`no end of ${method} ${path}`)));
      request.once("error", reject);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
