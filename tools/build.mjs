// Builds dist/: the command as one minified bundle whose parts load lazily, and the testing entry with its types.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./lib/run.mjs";

const dist = join(root, "dist");
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

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  keepNames: true,
  platform: "node",
  target: "node20",
  plugins: [jsonAsText],
  legalComments: "linked",
  logLevel: "warning",
  define: { "process.env.KUBETS_VERSION": JSON.stringify(version) },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await Promise.all([
  build({ ...shared, entryPoints: ["src/main/command.ts"], outfile: "dist/command.cjs", format: "cjs" }),
  build({
    ...shared,
    entryPoints: ["src/testing/index.ts"],
    outfile: "dist/testing.js",
    format: "esm",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  }),
]);
cpSync(join(root, "src/main/launcher.cjs"), join(dist, "kubets.cjs"));
if (withTypes) emitTypes();
console.log(`dist/command.cjs ${Math.round(statSync(join(dist, "command.cjs")).size / 1024)} KiB`);

function emitTypes() {
  const flags = [
    "--noEmit",
    "false",
    "--declaration",
    "--emitDeclarationOnly",
    "--rewriteRelativeImportExtensions",
  ];
  const emitted = run(join(root, "node_modules/.bin/tsc"), [
    ...flags,
    "--outDir",
    "dist/types",
    "-p",
    "tools/types.tsconfig.json",
  ]);
  if (!emitted) process.exit(1);
  writeFileSync(join(dist, "testing.d.ts"), 'export * from "./types/testing/index.js";\n');
}
