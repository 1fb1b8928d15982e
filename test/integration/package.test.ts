import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, root, run, temporaryDirectory, type Ended } from "./harness.ts";

if (!existsSync(join(root, "dist/types")))
  throw new Error("these tests install what is built: npm run prepack");

let scratch: string;
let project: string;
/** No registry, no cache of the user's: what is installed is in the tarball. */
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  scratch = await temporaryDirectory();
  project = join(scratch, "project");
  await mkdir(project);
  env = {
    ...process.env,
    HOME: scratch,
    XDG_CACHE_HOME: join(scratch, "cache"),
    npm_config_cache: join(scratch, "npm"),
    npm_config_offline: "true",
    npm_config_update_notifier: "false",
  };
});
afterAll(() => rm(scratch, { recursive: true }));

async function succeed(program: string, ...args: string[]): Promise<Ended> {
  const ended = await run(program, args, { cwd: project, env });
  expect(`${ended.code} ${ended.code === 0 ? "" : ended.stdout + ended.stderr}`).toBe("0 ");
  return ended;
}

const example = `
import { startCluster, VirtualClock, ApiError, type TestCluster } from "kubets/testing";
import { Deployment } from "kubets/api/apps-v1";
import { ConfigMap, Pod } from "kubets/api/core-v1";

const cluster: TestCluster = await startCluster({ nodes: 1 });
const created = await cluster.client.create(ConfigMap, {
  metadata: { name: "a", namespace: "default" },
  data: { key: "value" },
});
const value: string | undefined = created.data?.["key"];
const pods: readonly Pod[] = (await cluster.client.list(Pod)).items;
// @ts-expect-error a number is no image
const wrong: Deployment["spec"]["template"]["spec"]["containers"] = [{ name: "a", image: 1 }];
const missing = await cluster.client.get(ConfigMap, { namespace: "default", name: "none" }).catch((error: unknown) => error);
console.log(value, pods.length, wrong.length, ApiError.is(missing, "NotFound"), typeof VirtualClock);
await cluster.stop();
`;

test("the tarball works in an empty folder without a registry", { timeout: 180_000 }, async () => {
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", scratch], {
    cwd: root,
    env,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["LICENSE", "package.json", "dist/kubets.cjs", "dist/command.cjs"]),
  );
  expect(
    paths.filter((path) => !/^(dist\/|LICENSE$|README\.md$|CHANGELOG\.md$|package\.json$)/.test(path)),
  ).toEqual([]);

  await writeFile(join(project, "package.json"), '{"type": "module"}');
  await succeed("npm", "install", "--no-audit", "--no-fund", join(scratch, filename));
  expect((await readdir(join(project, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual([
    "kubets",
  ]);

  expect((await succeed("npx", "kubets", "version")).stdout).toMatch(
    /^kubets \d+\.\d+\.\d+ \(Kubernetes v1\.36/,
  );
  const directory = join(scratch, "cluster");
  const up = ["up", "--nodes", "0", "--dir", directory, "--port", String(await freePort())];
  try {
    expect((await succeed("npx", "kubets", ...up)).stdout).toContain("The cluster is up");
  } finally {
    await succeed("npx", "kubets", "delete", "--dir", directory);
  }

  await writeFile(join(project, "example.ts"), example);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const flags = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
  const typeRoots = ["--typeRoots", join(root, "node_modules/@types")];
  await succeed(process.execPath, compiler, ...flags, ...typeRoots, "example.ts");
  expect((await succeed(process.execPath, "example.js")).stdout).toBe("value 0 1 true function\n");
});
