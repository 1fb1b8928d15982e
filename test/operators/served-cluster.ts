import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { exchangeHttps, type TextAnswer } from "../lib/exchange-https.ts";

/** An answer with its JSON. */
export interface JsonAnswer extends TextAnswer {
  // Each test knows what it asked for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** How long, and how often in that time, something is waited for. */
const patience = { attempts: 400, pause: 25 };

/** A cluster in this process, asked over HTTPS as clients do. */
export class ServedCluster {
  readonly #cluster: TestCluster;
  readonly #agent: Agent;
  readonly #server: URL;
  readonly kubeconfig: string;

  private constructor(cluster: TestCluster, kubeconfig: string) {
    const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "";
    const pem = (name: string) => Buffer.from(field(name), "base64");
    this.#cluster = cluster;
    this.kubeconfig = kubeconfig;
    this.#server = new URL(field("server"));
    this.#agent = new Agent({
      keepAlive: true,
      ca: pem("certificate-authority-data"),
      cert: pem("client-certificate-data"),
      key: pem("client-key-data"),
    });
  }

  static async start(): Promise<ServedCluster> {
    const cluster = await startCluster({ nodes: 0 });
    return new ServedCluster(cluster, await cluster.kubeconfig());
  }

  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<JsonAnswer> {
    const { hostname: host, port } = this.#server;
    const options = { host, port, method, path, agent: this.#agent };
    const answer = await exchangeHttps(
      { ...options, headers: { "content-type": "application/json", ...headers } },
      body && JSON.stringify(body),
    );
    const isJson = String(answer.headers["content-type"]).includes("json") && !path.includes("watch=");
    return { ...answer, body: isJson ? JSON.parse(answer.text) : undefined };
  }

  /** Settles once it holds. */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (let attempt = 1; !(await holds()); attempt++) {
      if (attempt === patience.attempts) throw new Error("what was waited for has not come about");
      await sleep(patience.pause);
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#cluster.stop();
  }
}
