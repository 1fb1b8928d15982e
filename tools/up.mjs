// `npm run up`: from a fresh clone to a cluster. Installs what is missing, builds when needed, then runs the command.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { installDebianPackages, installPackages, nodePackages, root, run } from "./lib/run.mjs";

const command = join(root, "dist/kubets.cjs");
const args = process.argv.slice(2);

process.exitCode = up() ? 0 : 1;

function up() {
  if (!installPackages()) return false;
  if (wantsNode()) {
    // The command itself says what a node lacks and how to do without one.
    installDebianPackages(nodePackages);
  }
  if (isStale() && !run("node", ["tools/build.mjs"])) return false;
  return run(process.execPath, [command, "up", ...args], { cwd: process.cwd() });
}

function wantsNode() {
  return !/(^| )--nodes[ =]0( |$)/.test(args.join(" ")) && !args.includes("--help");
}

/** Whether the build is missing or older than what it is made of. */
function isStale() {
  if (!existsSync(command)) return true;
  const built = statSync(join(root, "dist")).mtimeMs;
  const newer = (path) => statSync(path).mtimeMs > built;
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true });
  return (
    ["package-lock.json", "package.json", "tools/build.mjs"].some((name) => newer(join(root, name))) ||
    sources.some((entry) => newer(join(entry.parentPath ?? entry.path, entry.name)))
  );
}
