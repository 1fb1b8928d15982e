import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { createEtcdServer, type EtcdServerOptions, identityOf } from "../../src/etcd/server/index.ts";
import type { Mvcc } from "../../src/store/index.ts";
import { type Ended, freePort, run } from "../integration/harness.ts";

const isInstalled = (program: string) => spawnSync(program, ["version"]).error === undefined;

/** Whether etcd's server and command are installed, as Debian's etcd-server and etcd-client are. */
export const hasEtcd = isInstalled("etcd") && isInstalled("etcdctl");
if (!hasEtcd) console.log("etcd and etcdctl are not installed: tests that compare with them are skipped.");

/** Runs etcdctl against an endpoint. */
export function etcdctl(endpoint: string, args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: endpoint.replace("http://", "") };
  return run("etcdctl", args, { env });
}

/** A running etcd. */
export interface RunningEtcd {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Starts a real etcd of one member on a data directory, new or restored. */
export async function startEtcd(directory: string, args: readonly string[] = []): Promise<RunningEtcd> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [endpoint, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const flags = {
    "data-dir": directory,
    "listen-client-urls": endpoint,
    "advertise-client-urls": endpoint,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
  };
  const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn("etcd", [...given, "--unsafe-no-fsync", "--log-level=error", ...args], {
    stdio: "ignore",
  });
  await untilHealthy(endpoint);
  return {
    endpoint,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const patience = 20_000;

/** Settles when the server says that it is healthy. */
export async function untilHealthy(endpoint: string): Promise<void> {
  for (const end = Date.now() + patience; ;) {
    try {
      const response = await fetch(`${endpoint}/health`);
      if (response.ok) return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Serves a store of ours as etcd. */
export async function startOurs(
  store: Mvcc,
  options: Pick<EtcdServerOptions, "limits"> = {},
): Promise<RunningEtcd> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const identity = identityOf({
    name: "default",
    clientUrls: [endpoint],
    peerUrls: ["http://localhost:2380"],
  });
  const server = await createEtcdServer({
    store,
    identity,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    passwordCost: 4,
    ...options,
  });
  const listener = createServer((socket) => server.accept(socket)).listen(port, "127.0.0.1");
  await once(listener, "listening");
  return {
    endpoint,
    async stop() {
      listener.close();
      await server.close();
      await store.close();
    },
  };
}
