// The one test command: installs what is missing, then static checks and all tests. Ends with `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { installDebianPackages, installPackages, nodePackages, root, run, testPackages } from "./lib/run.mjs";

const binary = (name) => join(root, "node_modules/.bin", name);
const scratch = mkdtempSync(join(tmpdir(), "kubets-test-"));
const report = join(scratch, "report.json");

const checks = [
  ["build", () => run("node", ["tools/build.mjs", "--types"])],
  ["types", () => run(binary("tsc"), ["--noEmit"])],
  ["lint", () => run(binary("oxlint"), ["--type-aware", "--deny-warnings"])],
  ["format", () => run(binary("oxfmt"), ["--check"])],
  ["dead code", () => run(binary("knip"), ["--no-progress"])],
];

let passed = 0;
let failed = 0;
const count = (name, good) => {
  if (good) passed++;
  else failed++;
  console.log(`${good ? "ok    " : "FAILED"} ${name}`);
};

if (installPackages()) {
  const missing = installDebianPackages({ ...nodePackages, ...testPackages });
  if (missing.length > 0) console.log(`Tests that need them will be skipped: ${missing.join(", ")} missing.`);
  for (const [name, check] of checks) count(name, check());
  run(binary("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
  countVitest();
} else {
  count("npm packages", false);
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function countVitest() {
  let results;
  try {
    results = JSON.parse(readFileSync(report, "utf8"));
  } catch (error) {
    console.error(`no test report: ${error.message}`);
    return count("tests", false);
  }
  printSlowFiles(results.testResults);
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  // A file that cannot be loaded counts no test of its own; unhandled errors make the whole run fail.
  const broken = results.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  for (const file of broken) count(file.name, false);
  if (results.success === false && results.numFailedTests === 0 && broken.length === 0)
    count("unhandled errors", false);
}

/** Files that took long, the longest first: where to look when a run gets slow. */
function printSlowFiles(files) {
  const slowMilliseconds = 5_000;
  const slow = files
    .map(({ name, startTime, endTime }) => ({ name: relative(root, name), took: endTime - startTime }))
    .filter(({ took }) => took > slowMilliseconds)
    .sort((one, other) => other.took - one.took);
  for (const { name, took } of slow) console.log(`slow   ${name} ${(took / 1000).toFixed(1)} s`);
}
