#!/usr/bin/env node
"use strict";
// Runs the bundled command from V8's compiled code, kept in the user's cache folder: half the start-up time.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const vm = require("node:vm");

const file = path.join(__dirname, "command.cjs");
const source = fs.readFileSync(file, "utf8");
const cacheFile = cachePath();
const cachedData = readCache();
const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
  filename: file,
  cachedData,
  importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const holder = { exports: {} };
script.runInThisContext()(holder.exports, require, holder, file, __dirname);
const isCached = cachedData !== undefined && !script.cachedDataRejected;
// What V8 has compiled by then is kept: commands keep it at their end, daemons once they are ready.
const keepCompiledCode = () => (isCached ? undefined : writeCache());
void holder.exports.main(process.argv.slice(2), { launcher: __filename, keepCompiledCode }).then((code) => {
  process.exitCode = code;
  keepCompiledCode();
});

// A file for each command: each compiles other parts of the bundle.
function cachePath() {
  const folder = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  const { size, mtimeMs } = fs.statSync(file);
  const command = process.argv[2] ?? "";
  const identity = [file, size, mtimeMs, process.version, process.arch, command].join(" ");
  const digest = createHash("sha256").update(identity).digest("hex");
  return path.join(folder, "kubets", `${digest.slice(0, 16)}.bin`);
}

// The cache is trusted as code: only a file that this user alone can have written is taken.
function readCache() {
  try {
    const { uid, mode } = fs.statSync(cacheFile);
    if (uid !== (process.getuid?.() ?? uid) || (mode & 0o022) !== 0) return undefined;
    return fs.readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

// A cache that cannot be written costs time at the next start, nothing else.
function writeCache() {
  try {
    const folder = path.dirname(cacheFile);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const scratch = `${cacheFile}.${process.pid}`;
    fs.writeFileSync(scratch, script.createCachedData(), { mode: 0o600 });
    fs.renameSync(scratch, cacheFile);
    removeOld(folder);
  } catch {
    return;
  }
}

// Code of other versions and checkouts is kept for a while, the newest files first.
function removeOld(folder) {
  const mostFiles = 16;
  const files = fs
    .readdirSync(folder)
    .map((name) => ({ name, written: fs.statSync(path.join(folder, name)).mtimeMs }))
    .sort((one, other) => other.written - one.written);
  for (const { name } of files.slice(mostFiles)) fs.rmSync(path.join(folder, name), { force: true });
}
