import { request as httpsRequest } from "node:https";
import { expect } from "vitest";
import { startCluster, type TestCluster, type TestClusterOptions } from "../../src/testing/index.ts";
import { HttpsClient } from "../integration/harness.ts";

/** Any object of the API; tests read of it what they expect to be there. */
export interface Body {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly items: readonly Body[];
  readonly [field: string]: unknown;
}

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly warnings: string;
  readonly body: Body;
}

export interface Event {
  readonly type: string;
  readonly object: Body;
}

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** The shared cluster of a file, over HTTPS. */
export class Api {
  readonly cluster: TestCluster;
  private readonly https: HttpsClient;

  private constructor(cluster: TestCluster, kubeconfig: string) {
    this.cluster = cluster;
    this.https = new HttpsClient(kubeconfig);
  }

  static async start(options: TestClusterOptions = {}): Promise<Api> {
    const cluster = await startCluster(options);
    return new Api(cluster, await cluster.kubeconfig());
  }

  async stop(): Promise<void> {
    this.https.close();
    await this.cluster.stop();
  }

  async send(
    path: string,
    options: { method?: string; headers?: Readonly<Record<string, string>>; body?: unknown } = {},
  ): Promise<Reply> {
    const { method = "GET", headers = {}, body } = options;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
    const sent = {
      method,
      headers: { ...length, ...headers },
      ...(body === undefined ? {} : { body: text }),
    };
    const answer = await this.https.send(path, sent);
    return {
      status: answer.status,
      contentType: String(answer.headers["content-type"]),
      warnings: String(answer.headers["warning"] ?? ""),
      body: answer.text.startsWith("{") ? (JSON.parse(answer.text) as Body) : ({} as Body),
    };
  }

  /** The answer's body; anything but success fails the test. */
  async done(path: string, options: Parameters<Api["send"]>[1] = {}): Promise<Body> {
    const { status, body } = await this.send(path, options);
    expect(
      `${options.method ?? "GET"} ${path}: ${status} ${status < 300 ? "" : JSON.stringify(body)}`,
    ).toMatch(/: 20\d $/);
    return body;
  }

  get = (path: string) => this.done(path);
  create = (path: string, body: unknown) => this.done(path, { method: "POST", body });
  update = (path: string, body: unknown) => this.done(path, { method: "PUT", body });
  delete = (path: string, body?: unknown) =>
    this.done(path, { method: "DELETE", ...(body === undefined ? {} : { body }) });
  patch = (path: string, body: unknown, type: keyof typeof patchTypes = "merge") =>
    this.done(path, { method: "PATCH", headers: { "content-type": patchTypes[type] }, body });

  /** Creates a namespace of that name and answers its path. */
  async namespace(name: string): Promise<string> {
    await this.create("/api/v1/namespaces", { metadata: { name } });
    await this.until(`/api/v1/namespaces/${name}/serviceaccounts`, ({ items }) => items.length > 0);
    return `/api/v1/namespaces/${name}`;
  }

  /** Settles with the list once it is as wanted; follows the watch. */
  async until(path: string, holds: (list: Body) => boolean): Promise<Body> {
    const mark = path.includes("?") ? "&" : "?";
    for (;;) {
      const list = await this.get(path);
      if (holds(list)) return list;
      await this.events(
        `${path}${mark}watch=true&resourceVersion=${list.metadata.resourceVersion}`,
        () => true,
      );
    }
  }

  /** Events of a watch until they are as wanted; fails when the watch ends before. */
  async watch(path: string, enough: (events: readonly Event[]) => boolean): Promise<readonly Event[]> {
    const events = await this.events(path, enough);
    expect(enough(events)).toBe(true);
    return events;
  }

  private events(path: string, enough: (events: readonly Event[]) => boolean): Promise<readonly Event[]> {
    const { port, identity } = this.https;
    return new Promise((resolve, reject) => {
      const events: Event[] = [];
      let rest = "";
      const request = httpsRequest(
        { ...identity, host: "127.0.0.1", port, path, agent: false },
        (response) => {
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            const lines = (rest + chunk).split("\n");
            rest = lines.pop() ?? "";
            events.push(...lines.map((line) => JSON.parse(line) as Event));
            if (!enough(events)) return;
            resolve(events);
            request.destroy();
          });
          response.once("end", () => resolve(events));
          response.once("error", reject);
        },
      );
      request.once("error", reject);
      request.end();
    });
  }
}
