// Runs the built command and the unit tests on every Node.js that is supported; prints a row a version.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPackages, root, run } from "./lib/run.mjs";

const versions = ["20", "22", "24"];
/** Parts whose behaviour depends on Node.js: TLS, HTTP/2, files, streams; the rest is plain JavaScript. */
const folders = [
  "src/apiserver/http",
  "src/client",
  "src/store",
  "src/pki",
  "src/streaming",
  "src/cri",
  "src/grpc",
  "src/etcd",
  "src/main",
];
const integration = ["test/integration/command.test.ts", "test/integration/cluster.test.ts"];

const rows = [];
if (!installPackages() || !run("node", ["tools/build.mjs"])) process.exit(1);
for (const version of versions) rows.push(await check(version));
console.table(rows);
const bad = rows.filter((row) => Object.values(row).includes("failed"));
process.exitCode = bad.length === 0 ? 0 : 1;

async function check(version) {
  const node = binaryOf(version);
  if (node === undefined) return { node: version, command: "not installed", tests: "not installed" };
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  const command = await upAndDown(node);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const tests = run(node, [vitest, "run", "--reporter=dot", ...folders, ...integration]);
  return { node: stdout.trim(), command, tests: tests ? "passed" : "failed" };
}

/** The running Node.js where it is the one; else the package `node`'s binary from npm, kept in node_modules/.cache. */
function binaryOf(version) {
  if (process.versions.node.split(".")[0] === version) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, "node_modules/.cache/kubets-node", version);
  const binary = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    run("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", `${name}@${version}`]);
  }
  return existsSync(binary) ? binary : undefined;
}

async function upAndDown(node) {
  const scratch = mkdtempSync(join(tmpdir(), "kubets-nodes-"));
  const kubets = (...args) =>
    run(node, [join(root, "dist/kubets.cjs"), ...args, "--dir", join(scratch, "cluster")], {
      env: { ...process.env, XDG_CACHE_HOME: join(scratch, "cache") },
      stdio: ["ignore", "ignore", "inherit"],
    });
  try {
    // The second start takes the compiled code from the cache.
    for (let start = 0; start < 2; start++) {
      const port = String(await freePort());
      if (!kubets("up", "--nodes", "0", "--port", port) || !kubets("status") || !kubets("down"))
        return "failed";
    }
    return kubets("delete") ? "passed" : "failed";
  } finally {
    kubets("delete");
    rmSync(scratch, { recursive: true });
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
