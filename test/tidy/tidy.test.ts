import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const source = join(root, "src");

/** Which top-level folders of src each may import; ARCHITECTURE.md explains the table. */
const machinery = ["base", "apimachinery", "cel", "api"];
const component = [...machinery, "client"];
const importTable: Readonly<Record<string, readonly string[]>> = {
  base: [],
  apimachinery: ["base"],
  cel: ["base", "apimachinery"],
  api: ["base", "apimachinery", "cel"],
  store: ["base"],
  streaming: ["base"],
  http2: ["base"],
  pki: ["base"],
  machine: ["base"],
  apiserver: [...machinery, "store", "http2", "streaming", "pki"],
  client: [...machinery, "streaming"],
  controllers: component,
  scheduler: component,
  proxy: [...component, "machine"],
  dns: component,
  grpc: ["base"],
  etcd: ["base", "store", "grpc"],
  cri: ["base", "grpc"],
  kubelet: [...component, "cri", "streaming", "pki", "machine"],
  "control-plane": [...component, "store", "apiserver", "controllers", "scheduler"],
  testing: [
    ...component,
    "store",
    "apiserver",
    "controllers",
    "scheduler",
    "pki",
    "streaming",
    "control-plane",
  ],
  main: ["*"],
};
/** Folders that also run in a browser: no Node modules. What is listed after it is the side of them that faces the machine. */
const portable = ["base/", "apimachinery/", "cel/", "api/", "store/", "apiserver/"];
const machineSide = ["store/log/", "apiserver/http/", "apiserver/connect/", "apiserver/aggregation/"];
const longestFile = 500;
const longestFunction = 60;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

const generated = (path: string) => /\/(generated|types)\/[^/]+-v[^/]+\.ts$/.test(path);
const isTest = (path: string) => path.endsWith(".test.ts");
const files = filesBelow(source).filter((path) => !generated(path));
const isBelow = (path: string, folders: readonly string[]) =>
  folders.some((folder) => relative(source, path).startsWith(folder));
const read = (path: string) => readFileSync(path, "utf8");
const shown = (path: string) => relative(root, path);

function importsOf(path: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/g;
  return [...read(path).matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function crossings(path: string): { from: string; to: string; target: string }[] {
  const from = relative(source, path).split("/")[0] ?? "";
  return importsOf(path)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => relative(source, resolve(dirname(path), specifier)))
    .map((target) => ({ from, to: target.split("/")[0] ?? "", target }))
    .filter(({ to }) => to !== from);
}

/** Functions, methods and callbacks that begin a line and are longer than the limit, found by matching indentation. */
function longFunctions(path: string): string[] {
  const lines = read(path).split("\n");
  const found: string[] = [];
  lines.forEach((line, start) => {
    const head =
      /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\*? (\w+)|(?:private |protected |static |override )*(?:async )?\*?(\w+)\([^;]*\)[^;]*).*\{$/.exec(
        line,
      );
    if (!head || /^\s*(if|for|while|switch|catch|else|return|do)\b/.test(line)) return;
    // The line of a call ends with the head of its callback: `})` closes both.
    const closing = line.endsWith("=> {") ? [");", "),", ")"] : ["", ","];
    const end = lines.findIndex(
      (other, index) => index > start && closing.some((rest) => other === `${head[1]}}${rest}`),
    );
    if (end - start > longestFunction)
      found.push(`${shown(path)}:${start + 1} ${head[2] ?? head[3]} (${end - start} lines)`);
  });
  return found;
}

describe("tidy", () => {
  test("folders import only what the table allows", () => {
    const wrong = files.flatMap((path) =>
      crossings(path)
        .filter(({ from, to }) => {
          const allowed = importTable[from];
          return !(allowed?.includes("*") || allowed?.includes(to) || (isTest(path) && to !== "main"));
        })
        .map(({ target }) => `${shown(path)} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("other folders are entered by their front doors only", () => {
    const frontDoor = (target: string) =>
      target.endsWith("/index.ts") || /^api\/types\/|^apimachinery\/generated\//.test(target);
    const wrong = files
      .filter((path) => !isTest(path))
      .flatMap((path) =>
        crossings(path)
          .filter(({ target }) => !frontDoor(target) && !target.endsWith(".json"))
          .map(({ target }) => `${shown(path)} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test("what runs in a browser imports no Node module", () => {
    const wrong = files
      .filter((path) => !isTest(path) && !path.endsWith("-suite.ts"))
      .filter((path) => isBelow(path, portable) && !isBelow(path, machineSide))
      .filter((path) => importsOf(path).some((specifier) => specifier.startsWith("node:")));
    expect(wrong.map(shown)).toEqual([]);
  });

  test("files and functions stay short", () => {
    const long = files
      .map((path) => ({ path, lines: read(path).split("\n").length }))
      .filter(({ lines }) => lines > longestFile)
      .map(({ path, lines }) => `${shown(path)} (${lines} lines)`);
    expect([...long, ...files.filter((path) => !isTest(path)).flatMap(longFunctions)]).toEqual([]);
  });

  test("nothing is left undone or disabled", () => {
    const marks = /\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/;
    const disabled = /\b(?:test|it|describe)\.(?:skip|only|todo)\(/;
    const wrong = [...files, ...filesBelow(join(root, "test"))].filter(
      (path) => marks.test(read(path)) || (isTest(path) && disabled.test(read(path))),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  test("documents link to what exists", () => {
    const missing: string[] = [];
    for (const name of readdirSync(root).filter((file) => file.endsWith(".md"))) {
      for (const [, link] of read(join(root, name)).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        try {
          readFileSync(join(root, link ?? ""));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EISDIR") missing.push(`${name}: ${link}`);
        }
      }
    }
    expect(missing).toEqual([]);
  });
});
