import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startCluster } from "../../src/testing/index.ts";
import { run, temporaryDirectory } from "../integration/harness.ts";

/** Debian's, for which its package python3-kubernetes is. */
const python = "/usr/bin/python3";
const script = new URL("python.py", import.meta.url).pathname;

const reason = missing();
if (reason !== undefined) console.log(`python.test.ts is skipped: ${reason}`);

function missing(): string | undefined {
  const { error, status, stderr } = spawnSync(python, ["-c", "import kubernetes"], { encoding: "utf8" });
  if (error) return error.message;
  return status === 0 ? undefined : `no package python3-kubernetes: ${stderr.trim().split("\n").at(-1)}`;
}

test.skipIf(reason !== undefined)("Python's kubernetes client", async () => {
  const scratch = await temporaryDirectory();
  const cluster = await startCluster({ nodes: 1 });
  try {
    const kubeconfig = join(scratch, "kubeconfig");
    await writeFile(kubeconfig, await cluster.kubeconfig(), { mode: 0o600 });
    const ended = await run(python, [script, kubeconfig], { cwd: scratch });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout.match(/^ok /gm)).toHaveLength(6);
  } finally {
    await cluster.stop();
    await rm(scratch, { recursive: true });
  }
});
