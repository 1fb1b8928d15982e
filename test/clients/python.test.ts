import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { run } from "../integration/harness.ts";
import { startScene } from "../lib/scene.ts";

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
  const scene = await startScene({ nodes: 1 });
  try {
    const ended = await run(python, [script, scene.kubeconfig], { cwd: scene.scratch });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout.match(/^ok /gm)).toHaveLength(6);
  } finally {
    await scene.end();
  }
});
