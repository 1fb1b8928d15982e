import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exchangeHttps } from "../lib/exchange-https.ts";
import type { TextAnswer } from "../lib/exchange-https.ts";

export const root = new URL("../..", import.meta.url).pathname;
/** The command as users have it. */
export const launcher = join(root, "dist/kubets.cjs");

if (!existsSync(launcher)) throw new Error("these tests run what is built: npm run build");

/** What a program said and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly input?: string;
}

/** Runs a program to its end, without blocking this process. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { input, ...rest } = options;
    const child = spawn(program, [...args], { ...rest, stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8");
      child[name].on("data", (text: string) => (output[name] += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
    child.stdin.end(input);
  });
}

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "kubets-integration-"));
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether the process runs; one that ended counts as ended also when nobody has asked for its exit code. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Clusters of one test file, started by the command, all removed by `clean`. */
export class CommandClusters {
  private readonly scratch: string;
  private readonly directories = new Set<string>();

  private constructor(scratch: string) {
    this.scratch = scratch;
  }

  static async open(): Promise<CommandClusters> {
    return new CommandClusters(await temporaryDirectory());
  }

  /** Where a cluster of that name lives. */
  directory(name: string): string {
    const directory = join(this.scratch, name);
    this.directories.add(directory);
    return directory;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const env = { ...process.env, XDG_CACHE_HOME: join(this.scratch, "cache"), ...options.env };
    return run(process.execPath, [launcher, ...args], { ...options, env });
  }

  async clean(): Promise<void> {
    await Promise.all([...this.directories].map((directory) => this.run(["delete", "--dir", directory])));
    await rm(this.scratch, { recursive: true, force: true });
  }
}

export interface HttpAnswer extends TextAnswer {
  /** The body as JSON. */
  readonly body: JsonAnswer;
}

/** What tests read of objects and of statuses. */
export interface JsonAnswer {
  readonly kind?: string;
  readonly status?: unknown;
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly metadata?: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly items?: readonly JsonAnswer[];
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Credentials {
  readonly cert?: string;
  readonly key?: string;
}

/** An HTTPS client of an API server, as its kubeconfig says. */
export class HttpsClient {
  readonly port: number;
  readonly ca: string;
  /** What a connection of one's own needs. */
  readonly identity: { readonly ca: string; readonly cert?: string; readonly key?: string };
  private readonly agent: Agent;

  constructor(kubeconfig: string, credentials?: Credentials) {
    const data = (name: string) =>
      Buffer.from(new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "", "base64").toString();
    this.port = Number(/server: https:\/\/127\.0\.0\.1:(\d+)/.exec(kubeconfig)?.[1]);
    this.ca = data("certificate-authority-data");
    const { cert, key } = credentials ?? {
      cert: data("client-certificate-data"),
      key: data("client-key-data"),
    };
    this.identity = { ca: this.ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
    this.agent = new Agent({ keepAlive: true, ...this.identity });
  }

  static async ofDirectory(directory: string): Promise<HttpsClient> {
    return new HttpsClient(await readFile(join(directory, "kubeconfig"), "utf8"));
  }

  /** Sends a request; JSON unless its headers say otherwise. */
  async send(path: string, { method = "GET", headers = {}, body }: HttpRequest = {}): Promise<HttpAnswer> {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const { port, agent } = this;
    const options = { host: "127.0.0.1", port, path, method, agent, headers: { ...json, ...headers } };
    const answer = await exchangeHttps(options, body);
    return {
      ...answer,
      get body() {
        return JSON.parse(answer.text) as JsonAnswer;
      },
    };
  }

  post(path: string, object: unknown): Promise<HttpAnswer> {
    return this.send(path, { method: "POST", body: JSON.stringify(object) });
  }

  close(): void {
    this.agent.destroy();
  }
}
