import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { silentLogger, systemClock } from "../../src/base/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";
import { openLogStore } from "../../src/store/log/index.ts";
import { storeSuite } from "../../src/store/store-suite.ts";
import { startUpstream } from "../differential/servers.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { startOurs } from "./harness.ts";

/** A folder with upstream's `kube-apiserver`. */
const upstreamFolder = process.env["KUBETS_UPSTREAM"];

storeSuite("a store on an etcd that is ours", async () => {
  const { endpoint, stop } = await startOurs(createMemoryStore());
  onTestFinished(stop);
  return connectEtcdStore({ servers: [endpoint], clock: systemClock, logger: silentLogger });
});

describe.skipIf(upstreamFolder === undefined)("upstream's API server on an etcd that is ours", () => {
  let directory: string;
  beforeAll(async () => void (directory = await temporaryDirectory()));
  afterAll(() => rm(directory, { recursive: true }));

  /** Runs upstream's server and ours below it, as long as `use` lasts. */
  async function onOurs(
    use: (ask: (path: string, method?: string, body?: object) => Promise<string>) => Promise<void>,
  ) {
    const ours = await startOurs(await openLogStore({ directory }));
    const upstream = await startUpstream(upstreamFolder!, { etcdUrl: ours.endpoint });
    try {
      await use(async (path, method = "GET", body) => {
        const headers = { "content-type": "application/json" };
        const sent = body && JSON.stringify(body);
        const { status, text } = await upstream.send({ method, path, headers, body: sent });
        return `${status} ${text}`;
      });
    } finally {
      await upstream.close();
      await ours.stop();
    }
  }

  test("objects are made, listed, watched and deleted, and are there when both start again", async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    const object = (name: string) => ({ metadata: { name }, data: { a: "b" } });
    await onOurs(async (ask) => {
      for (const name of ["one", "two", "three"])
        expect(await ask(path, "POST", object(name))).toMatch(/^201 /);
      expect(await ask(path, "POST", object("one"))).toMatch(/^409 .*already exists/);
      const page = await ask(`${path}?limit=2`);
      expect(page).toMatch(/"continue":"[^"]+".*"name":"one"/);
      expect(await ask(`${path}/two`, "DELETE")).toMatch(/^200 /);
      const version = /"resourceVersion":"(\d+)"/.exec(await ask(path))![1];
      expect(await ask(`${path}/one`, "PUT", { ...object("one"), data: { a: "c" } })).toMatch(/^200 /);
      const events = await ask(`${path}?watch=1&resourceVersion=${version}&timeoutSeconds=2`);
      expect(events).toMatch(/^200 \{"type":"MODIFIED".*"data":\{"a":"c"\}/);
    });
    await onOurs(async (ask) => {
      const list = await ask(path);
      expect([...list.matchAll(/"name":"(\w+)","namespace"/g)].map(([, name]) => name)).toEqual([
        "one",
        "three",
      ]);
      expect(await ask(`${path}/one`)).toContain('"data":{"a":"c"}');
    });
  }, 180_000);
});
