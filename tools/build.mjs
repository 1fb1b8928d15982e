// Builds dist/: the command as one minified bundle whose parts load lazily; the testing entry; the kinds that
// its users name; with --types the types of both.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./lib/run.mjs";

const dist = join(root, "dist");
/** Built aside and moved in place in one step: what runs from dist/ meanwhile never sees half of it. */
const scratch = join(root, `node_modules/.cache/kubets-build-${process.pid}`);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const withTypes = process.argv.includes("--types");

/** JSON files become strings for JSON.parse, which V8 reads faster than object literals. */
const jsonAsText = {
  name: "json-as-text",
  setup(builder) {
    builder.onLoad({ filter: /\/facts\/[^/]+\.json$/ }, ({ path }) => {
      const text = JSON.stringify(JSON.parse(readFileSync(path, "utf8")));
      return { contents: `export default JSON.parse(${JSON.stringify(text)});`, loader: "js" };
    });
  },
};

/** Relative imports of a declaration file. */
const imports = /(from |import\()"(\.[^"]+)\.ts"/g;

const shared = {
  absWorkingDir: root,
  bundle: true,
  // Names stay as they are, so that stack traces can be read; esbuild's keepNames would name each closure as it is
  // made, at run time.
  minifyWhitespace: true,
  minifySyntax: true,
  platform: "node",
  target: "node20",
  plugins: [jsonAsText],
  legalComments: "linked",
  logLevel: "warning",
  define: Object.fromEntries(
    Object.entries({ KUBETS_VERSION: version, ...revision() }).map(([name, value]) => [
      `process.env.${name}`,
      JSON.stringify(value),
    ]),
  ),
};

mkdirSync(scratch, { recursive: true });
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const banner = {
  js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
};
await Promise.all([
  build({
    ...shared,
    entryPoints: ["src/main/command.ts"],
    outfile: join(scratch, "command.cjs"),
    format: "cjs",
  }),
  build({
    ...shared,
    entryPoints: ["src/testing/index.ts"],
    outfile: join(scratch, "testing.js"),
    format: "esm",
    banner,
  }),
  build({ ...shared, entryPoints: ["src/api/types/*.ts"], outdir: join(scratch, "api"), format: "esm" }),
]);
cpSync(join(root, "src/main/launcher.cjs"), join(scratch, "kubets.cjs"));
chmodSync(join(scratch, "kubets.cjs"), 0o755);
if (withTypes) emitTypes();
rmSync(dist, { recursive: true, force: true });
renameSync(scratch, dist);
console.log(`dist/command.cjs ${Math.round(statSync(join(dist, "command.cjs")).size / 1024)} KiB`);

function emitTypes() {
  const all = join(scratch, "all-types");
  const emitted = run(join(root, "node_modules/.bin/tsc"), [
    "--noEmit",
    "false",
    "--declaration",
    "--emitDeclarationOnly",
    "--rewriteRelativeImportExtensions",
    "--outDir",
    all,
    "-p",
    "tools/types.tsconfig.json",
  ]);
  if (!emitted) process.exit(1);
  const kinds = readdirSync(join(all, "api/types")).map((name) => join("api/types", name));
  for (const file of reachable(all, ["testing/index.d.ts", ...kinds])) {
    const target = join(scratch, "types", file);
    mkdirSync(dirname(target), { recursive: true });
    // Older compilers look for `.js` beside a declaration, not for `.ts`.
    writeFileSync(target, readFileSync(join(all, file), "utf8").replace(imports, '$1"$2.js"'));
  }
  rmSync(all, { recursive: true });
}

/** Declaration files that the given ones need, themselves included; tsc writes those of the whole program. */
function reachable(folder, entries) {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, , target] of text.matchAll(imports)) {
      visit(join(dirname(file), `${target}.d.ts`));
    }
  };
  for (const entry of entries) visit(entry);
  return found;
}

/** What /version says about the source. A tarball of it, without git, says nothing. */
function revision() {
  const git = spawnSync("git", ["log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC" },
  });
  if (git.status !== 0) return {};
  const [commit, date] = git.stdout.trim().split(" ");
  return { KUBETS_COMMIT: commit, KUBETS_BUILD_DATE: date };
}
