import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../integration/harness.ts";

/** PEM files of a server that asks its clients for certificates of the authority. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** A member of a cluster that runs for a test. */
export interface EtcdMember {
  readonly url: string;
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void;
  /** Starts it, the first time or with the data that it had when it was killed. */
  start(): Promise<void>;
}

/** A cluster that runs for a test. */
export interface EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

const patience = 20_000;
const pollInterval = 20;

/** Starts real etcd members, with new data in a temporary folder. */
export async function startMembers(
  count: number,
  options: { readonly tls?: ServerFiles; readonly flags?: readonly string[] } = {},
): Promise<EtcdCluster> {
  const root = await mkdtemp(join(tmpdir(), "kubets-etcd-"));
  const { tls, flags = [] } = options;
  const scheme = tls ? "https" : "http";
  const ports: number[] = [];
  while (ports.length < 2 * count) ports.push(await freePort());
  const peers = ports.slice(count).map((port) => `http://127.0.0.1:${port}`);
  const secure = tls && [
    `--cert-file=${tls.certificate}`,
    `--key-file=${tls.key}`,
    `--trusted-ca-file=${tls.authority}`,
    "--client-cert-auth",
  ];
  const members = peers.map((peer, index) => {
    const url = `${scheme}://127.0.0.1:${ports[index]}`;
    return new Member(url, [
      `--name=m${index}`,
      `--data-dir=${join(root, `m${index}`)}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${peers.map((one, other) => `m${other}=${one}`).join(",")}`,
      "--unsafe-no-fsync",
      "--logger=zap",
      "--log-level=error",
      ...(secure ?? []),
      ...flags,
    ]);
  });
  const stop = async () => {
    await Promise.all(members.map((member) => member.end()));
    await rm(root, { recursive: true, force: true });
  };
  try {
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { members, urls: members.map(({ url }) => url), stop };
}

class Member implements EtcdMember {
  readonly url: string;
  private readonly flags: readonly string[];
  private process: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();

  constructor(url: string, flags: readonly string[]) {
    this.url = url;
    this.flags = flags;
  }

  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    this.process?.kill(name);
  }

  async start(): Promise<void> {
    await this.ended;
    const started = spawn("etcd", this.flags, { stdio: ["ignore", "ignore", "pipe"] });
    this.process = started;
    this.ended = once(started, "exit");
    let complaints = "";
    let isReady = false;
    started.stderr.on("data", (text) => (complaints = `${complaints}${text}`.slice(-2_000)));
    const { hostname, port } = new URL(this.url);
    for (const end = Date.now() + patience; !isReady;) {
      isReady = await accepts(hostname, Number(port));
      if (isReady) break;
      if (started.exitCode !== null || Date.now() > end) throw new Error(`etcd did not start: ${complaints}`);
      await new Promise((resolve) => setTimeout(resolve, pollInterval));
    }
  }

  async end(): Promise<void> {
    this.process?.kill("SIGKILL");
    await this.ended;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => tell(true)).once("error", () => tell(false));
  });
}
