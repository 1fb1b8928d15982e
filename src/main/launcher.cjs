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
void holder.exports.main(process.argv.slice(2), { launcher: __filename }).then((code) => {
  process.exitCode = code;
  if (cachedData === undefined || script.cachedDataRejected) writeCache();
});

function cachePath() {
  const folder = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  const { size, mtimeMs } = fs.statSync(file);
  const identity = createHash("sha256").update(
    `${file} ${size} ${mtimeMs} ${process.version} ${process.arch}`,
  );
  return path.join(folder, "kubets", `${identity.digest("hex").slice(0, 16)}.bin`);
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
    for (const old of fs.readdirSync(folder)) fs.rmSync(path.join(folder, old), { force: true });
    const scratch = `${cacheFile}.${process.pid}`;
    fs.writeFileSync(scratch, script.createCachedData(), { mode: 0o600 });
    fs.renameSync(scratch, cacheFile);
  } catch {
    return;
  }
}
