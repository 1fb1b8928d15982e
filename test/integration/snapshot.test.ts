import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandClusters, freePort, HttpsClient, launcher } from "./harness.ts";

let clusters: CommandClusters;
let scratch: string;
beforeAll(async () => {
  clusters = await CommandClusters.open();
  scratch = clusters.directory("scratch");
});
afterAll(() => clusters.clean(), 60_000);

const configMaps = "/api/v1/namespaces/default/configmaps";

async function start(directory: string): Promise<HttpsClient> {
  const port = String(await freePort());
  expect(await clusters.run(["up", "--nodes", "0", "--dir", directory, "--port", port])).toMatchObject({
    code: 0,
  });
  return HttpsClient.ofDirectory(directory);
}

async function snapshot(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await clusters.run(["snapshot", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** A `kubets etcd` on a directory. */
async function startEtcd(directory: string) {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const args = [launcher, "etcd", "--data-dir", directory, "--listen-client-urls", endpoint];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  await once(child.stderr, "data");
  return {
    endpoint,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    },
  };
}

test("a running cluster is saved, and another one goes on from it with the same versions", async () => {
  const [first, second] = [clusters.directory("first"), clusters.directory("second")];
  const file = `${first}.db`;
  const client = await start(first);
  const kept = await client.post(configMaps, { metadata: { name: "kept" }, data: { key: "value" } });
  expect(statSync(join(first, "data/etcd.sock")).mode & 0o777).toBe(0o600);
  expect(await snapshot("save", file, "--dir", first)).toMatch(/^Snapshot of revision \d+ saved at /);
  await client.post(configMaps, { metadata: { name: "later" } });
  client.close();
  await clusters.run(["down", "--dir", first]);
  expect(existsSync(join(first, "data/etcd.sock"))).toBe(false);

  const status = JSON.parse(await snapshot("status", file, "-w", "json")) as { revision: number };
  expect(status.revision).toBeGreaterThanOrEqual(Number(kept.body.metadata?.resourceVersion));
  expect(await snapshot("restore", file, "--dir", second)).toContain(`at revision ${status.revision}`);
  expect(await clusters.run(["snapshot", "restore", file, "--dir", first])).toMatchObject({ code: 1 });
  const restored = await start(second);
  expect((await restored.send(`${configMaps}/kept`)).body.metadata?.resourceVersion).toBe(
    kept.body.metadata?.resourceVersion,
  );
  expect(await restored.send(`${configMaps}/later`)).toMatchObject({ status: 404 });
  const old = await restored.send(`${configMaps}?watch=1&resourceVersion=2&timeoutSeconds=5`);
  expect(old.text).toContain('"code":410');
  restored.close();

  // A stopped cluster can be saved, too.
  await clusters.run(["down", "--dir", second]);
  expect(await snapshot("save", `${second}.db`, "--dir", second)).toContain("Snapshot of revision");
});

test("kubets etcd takes a snapshot by its directory or over the network", async () => {
  const file = `${clusters.directory("first")}.db`;
  const directory = join(scratch, "etcd");
  expect(await snapshot("restore", file, "--data-dir", directory)).toContain("Restored to");
  const etcd = await startEtcd(directory);
  const other = await startEtcd(join(scratch, "other"));
  const again = `${directory}.db`;
  await snapshot("save", again, "--endpoints", etcd.endpoint);
  expect(await snapshot("status", again)).toBe(await snapshot("status", file));
  expect(await snapshot("restore", again, "--endpoints", other.endpoint)).toMatch(/^\d+ keys written to /);
  const refused = await clusters.run(["snapshot", "restore", again, "--endpoints", other.endpoint]);
  expect(refused.stderr).toMatch(/the endpoint has \d+ keys/);
  const taken = await clusters.run(["etcd", "--data-dir", directory]);
  expect(taken.code).toBe(1);
  expect(taken.stderr).toMatch(/^Error: /);
  await other.stop();
  await etcd.stop();
});
