import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CommandClusters, HttpsClient, freePort, isRunning } from "./harness.ts";

let clusters: CommandClusters;
beforeAll(async () => {
  clusters = await CommandClusters.open();
});
afterAll(() => clusters.clean(), 60_000);

const configMaps = "/api/v1/namespaces/default/configmaps";

async function up(directory: string, ...flags: string[]) {
  return clusters.run(["up", "--nodes", "0", "--dir", directory, ...flags]);
}

function pidOf(directory: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, "m").exec(readFileSync(join(directory, "pids"), "utf8"))?.[1]);
}

describe("a cluster's life", () => {
  test("two side by side: up, again, status, down, up with the same objects, delete", async () => {
    const [first, second] = [clusters.directory("first"), clusters.directory("second")];
    const ports = { first: await freePort(), second: await freePort() };
    const started = await up(first, "--port", String(ports.first));
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toContain(`export KUBECONFIG=${first}/kubeconfig`);
    expect(await up(second, "--port", String(ports.second))).toMatchObject({ code: 0 });

    const client = await HttpsClient.ofDirectory(first);
    const created = await client.post(configMaps, { metadata: { name: "kept" }, data: { key: "value" } });
    expect(created.status).toBe(201);
    const other = await HttpsClient.ofDirectory(second);
    expect(await other.send(`${configMaps}/kept`)).toMatchObject({ status: 404 });
    other.close();

    const again = await up(first);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("The cluster is up already.");
    const moved = await up(first, "--port", String(ports.second));
    expect(moved).toMatchObject({ code: 2 });
    expect(moved.stderr).toContain(`is up with --port ${ports.first}`);
    const others = await up(first, "--runtime-config", "api/alpha=true");
    expect(others).toMatchObject({ code: 2 });
    expect(others.stderr).toContain("is up with another --runtime-config");

    const status = await clusters.run(["status", "--dir", first]);
    expect(status).toMatchObject({ code: 0 });
    expect(status.stdout).toMatch(/^control-plane +\d+ +\d+ MiB$/m);

    expect(await clusters.run(["down", "--dir", first])).toMatchObject({ code: 0, stderr: "" });
    client.close();
    expect(await clusters.run(["status", "--dir", first])).toMatchObject({ code: 3 });
    expect((await clusters.run(["down", "--dir", first])).stdout).toBe("The cluster is not up.\n");
    expect(await clusters.run(["status", "--dir", second])).toMatchObject({ code: 0 });

    expect(await up(first)).toMatchObject({ code: 0 });
    const later = await HttpsClient.ofDirectory(first);
    const kept = await later.send(`${configMaps}/kept`);
    expect(kept.body.metadata).toEqual(created.body.metadata);
    later.close();

    const pid = pidOf(first, "control-plane");
    expect(await clusters.run(["delete", "--dir", first])).toMatchObject({ code: 0, stderr: "" });
    expect(isRunning(pid)).toBe(false);
    await expect(stat(first)).rejects.toThrow("ENOENT");
    expect((await clusters.run(["delete", "--dir", first])).stdout).toBe(
      `There is no cluster in ${first}.\n`,
    );
  }, 120_000);

  test("a control plane that was killed is reported, and starts again", async () => {
    const directory = clusters.directory("killed");
    await up(directory, "--port", String(await freePort()));
    process.kill(pidOf(directory, "control-plane"), "SIGKILL");
    const status = await clusters.run(["status", "--dir", directory]);
    expect(status).toMatchObject({ code: 3 });
    expect(status.stdout).toMatch(/^control-plane +- +not running$/m);
    expect(await up(directory)).toMatchObject({ code: 0 });
  }, 60_000);

  test("secrets are readable by the owner alone", async () => {
    const directory = clusters.directory("modes");
    await up(directory, "--port", String(await freePort()));
    const modes: Record<string, string> = {};
    for (const name of [".", "kubeconfig", "cluster.json", "data", "data/pki", "data/store", "logs"]) {
      modes[name] = ((await stat(join(directory, name))).mode & 0o777).toString(8);
    }
    expect(modes).toEqual({
      ".": "700",
      kubeconfig: "600",
      "cluster.json": "600",
      data: "700",
      "data/pki": "700",
      "data/store": "700",
      logs: "700",
    });
  }, 60_000);
});

describe("up refuses", () => {
  test("a port in use, and leaves nothing behind", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    const directory = clusters.directory("port");
    expect(await up(directory, "--port", String(port))).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `Error: port ${port} cannot be used: another program listens on it. Choose another with --port\n`,
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(stat(directory)).rejects.toThrow("ENOENT");
  });

  test("the directory of a newer format", async () => {
    const directory = clusters.directory("newer");
    await mkdir(directory);
    writeFileSync(join(directory, "cluster.json"), `{"format": 99, "later": true}`);
    expect(await up(directory)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("was written by a newer kubets (format 99;"),
    });
    expect(await clusters.run(["status", "--dir", directory])).toMatchObject({ code: 2 });
    expect(await readFile(join(directory, "cluster.json"), "utf8")).toContain("later");
    writeFileSync(join(directory, "cluster.json"), "{}");
    expect(await up(directory)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is no kubets cluster configuration"),
    });
  });

  test("a store that another process has open", async () => {
    const directory = clusters.directory("locked");
    const port = String(await freePort());
    expect(await up(directory, "--port", port)).toMatchObject({ code: 0 });
    const pids = await readFile(join(directory, "pids"), "utf8");
    writeFileSync(join(directory, "pids"), "");
    const second = await up(directory, "--port", String(await freePort()));
    writeFileSync(join(directory, "pids"), pids);
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toMatch(/^Error: .*(in use|locked|another process)/m);
    expect(await clusters.run(["status", "--dir", directory])).toMatchObject({ code: 0 });
  }, 60_000);

  test("a directory that is a file", async () => {
    const directory = clusters.directory("file");
    writeFileSync(directory, "");
    expect(await up(directory)).toMatchObject({
      code: 2,
      stderr: `Error: ${directory} is not a directory\n`,
    });
  });

  test.skipIf(process.getuid?.() !== 0)("a node without root, saying what works", async () => {
    const nobody = { uid: 65534, env: { HOME: "/nonexistent", XDG_CACHE_HOME: "/nonexistent" } };
    const refused = await clusters.run(["up", "--nodes", "1", "--dir", "/tmp/kubets-nobody"], nobody);
    await clusters.run(["delete", "--dir", "/tmp/kubets-nobody"], nobody);
    expect(refused).toMatchObject({
      code: 2,
      stderr:
        "Error: a node needs root, for namespaces, mounts and network interfaces: run as root, or use --nodes 0 for the control plane alone\n",
    });
    await expect(stat("/tmp/kubets-nobody")).rejects.toThrow("ENOENT");
  });
});

test.skipIf(process.getuid?.() !== 0)(
  "without root a plain up starts the control plane",
  async () => {
    const nobody = { uid: 65534, env: { HOME: "/nonexistent", XDG_CACHE_HOME: "/nonexistent" } };
    const directory = "/tmp/kubets-nobody-up";
    const started = await clusters.run(
      ["up", "--port", String(await freePort()), "--dir", directory],
      nobody,
    );
    const removed = await clusters.run(["delete", "--dir", directory], nobody);
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toContain("Starting the control plane alone: a node needs root");
    expect(removed).toMatchObject({ code: 0, stderr: "" });
  },
  60_000,
);

test.each([
  { args: ["frobnicate"], code: 2, stderr: 'Error: unknown command "frobnicate" for "kubets"' },
  { args: ["up", "--frobnicate"], code: 2, stderr: "Error: unknown flag: --frobnicate" },
  { args: ["up", "-d"], code: 2, stderr: "Error: unknown shorthand flag: 'd' in -d" },
  { args: ["up", "--port"], code: 2, stderr: "Error: flag needs an argument: --port" },
  { args: ["up", "--port=70000"], code: 2, stderr: 'Error: invalid argument "70000" for "--port" flag' },
  { args: ["up", "--nodes", "x"], code: 2, stderr: 'Error: invalid argument "x" for "--nodes" flag' },
  { args: ["down", "now"], code: 2, stderr: "Error: unexpected argument: now" },
  { args: ["status", "--port", "1"], code: 2, stderr: "Error: unknown flag: --port" },
])("kubets $args is misuse", async ({ args, code, stderr }) => {
  const ended = await clusters.run(args);
  expect(ended).toMatchObject({ code, stdout: "" });
  expect(ended.stderr).toContain(stderr);
});

test.each([
  { args: [], stdout: "Usage: kubets COMMAND [flags]" },
  { args: ["help"], stdout: "start a cluster in the background" },
  { args: ["up", "--help"], stdout: "--port PORT" },
  { args: ["version"], stdout: "Kubernetes v1.36" },
  { args: ["--version"], stdout: "kubets " },
])("kubets $args prints what was asked", async ({ args, stdout }) => {
  const ended = await clusters.run(args);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toContain(stdout);
});
