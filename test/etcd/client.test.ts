import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { silentLogger, systemClock } from "../../src/base/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import type { EtcdStore, EtcdStoreOptions } from "../../src/etcd/client/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import type { CertificateUsage } from "../../src/pki/index.ts";
import { revisionOf, StoreError } from "../../src/store/index.ts";
import type { Write } from "../../src/store/index.ts";
import { storeSuite } from "../../src/store/store-suite.ts";
import { bytes, create, keys, refusal, update, watchFrom } from "../../src/store/suite-tools.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { etcdctl, hasEtcd } from "./harness.ts";
import { startMembers } from "./members.ts";
import type { EtcdCluster } from "./members.ts";

async function open(servers: readonly string[], options: Partial<EtcdStoreOptions> = {}): Promise<EtcdStore> {
  const store = await connectEtcdStore({ servers, clock: systemClock, logger: silentLogger, ...options });
  onTestFinished(() => store.close());
  return store;
}

async function newCluster(...options: Parameters<typeof startMembers>): Promise<EtcdCluster> {
  const cluster = await startMembers(...options);
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** Certificates of one authority for a server on this machine and a client. */
async function certificates() {
  const folder = await temporaryDirectory();
  onTestFinished(() => rm(folder, { recursive: true }));
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "etcd", now });
  const issue = (usages: readonly CertificateUsage[]) =>
    issueCertificate({ ca, now, commonName: "kubets", usages, ipAddresses: ["127.0.0.1"] });
  const [server, client] = [await issue(["server", "client"]), await issue(["client"])];
  const files = {
    authority: join(folder, "ca.crt"),
    certificate: join(folder, "etcd.crt"),
    key: join(folder, "etcd.key"),
  };
  await writeFile(files.authority, ca.certificate);
  await writeFile(files.certificate, server.certificate);
  await writeFile(files.key, server.key);
  return { files, client: { authority: ca.certificate, ...client } };
}

/** Writes what is not there yet, again as long as nobody can tell whether it was: then what is there does. */
async function commitAnyhow(store: EtcdStore, write: Write): Promise<number> {
  for (;;) {
    try {
      return await store.commit(write);
    } catch (error) {
      const current = await store.get(write.key);
      const value = write.type === "delete" ? undefined : write.value;
      if (current && value && Buffer.compare(current.value, value) === 0) return current.modRevision;
      if (!(error instanceof StoreError) || error.type !== "unavailable") throw error;
    }
  }
}

describe.skipIf(!hasEtcd)("a store on etcd", () => {
  storeSuite("etcd", async () => open((await newCluster(1)).urls));

  test("asks for certificates and shows its own", async () => {
    const { files, client } = await certificates();
    const { urls } = await newCluster(1, { tls: files });
    const store = await open(urls, { tls: client });
    expect(await store.commit(create("/a"))).toBe(2);
    while (store.fileBytes === undefined) await systemClock.sleep(20);
    expect(store.fileBytes).toBeGreaterThan(4_096);
    const strange = await createCertificateAuthority({ commonName: "other", now: Date.now() });
    const distrustful = open(urls, {
      tls: { ...client, authority: strange.certificate },
      requestTimeout: 100,
    });
    expect(await refusal(distrustful)).toBe("unavailable");
  });

  test("logs in, and again when its token is no longer known", async () => {
    const flags = ["--auth-token-ttl=1"];
    const { urls } = await newCluster(1, { flags });
    const [url] = urls as [string];
    for (const command of [
      "user add root:secret",
      "role add reader",
      "user add limited:small",
      "role grant-permission reader read /a /b",
      "user grant-role limited reader",
      "user grant-role root root",
      "auth enable",
    ])
      await etcdctl(url, command.split(" "));
    const store = await open(urls, { user: { name: "root", password: "secret" } });
    const first = await store.commit(create("/a", "1"));
    const { read } = watchFrom(store, "/", first);
    const told = read(2);
    await store.commit(update("/a", "2", first));
    // Longer than the token lives: etcd's clock cannot be moved.
    await systemClock.sleep(2_500);
    await store.commit(create("/b"));
    expect((await told).map((text) => text.slice(2))).toEqual(["put /a=2 was 1", "put /b=1"]);
    const wrong = open(urls, { user: { name: "root", password: "wrong" } });
    await expect(wrong).rejects.toThrow("authentication failed");
    const limited = open(urls, { user: { name: "limited", password: "small" } });
    await expect(limited).rejects.toThrow("permission denied");
  });

  test("keeps its keys where it is told, and lists more than a page", async () => {
    const { urls } = await newCluster(1);
    // All writes wait for one disk.
    const patience = { attemptTimeout: 30_000, requestTimeout: 40_000 };
    const store = await open(urls, { place: { ours: "/registry", theirs: "/here" }, ...patience });
    const other = await open(urls);
    await other.commit(create("/other"));
    const writes = Array.from({ length: 1_200 }, (_, index) =>
      store.commit(create(`/registry/n/${String(index).padStart(4, "0")}`)),
    );
    await Promise.all(writes);
    const page = await store.list("/registry/n/");
    expect([page.items.length, page.remaining, page.items[1_199]?.key]).toEqual([
      1_200,
      0,
      "/registry/n/1199",
    ]);
    expect(await keys(store, "/registry/", { limit: 2, after: "/registry/n/1196" })).toEqual({
      keys: "/registry/n/1197 /registry/n/1198",
      remaining: 1,
    });
    expect((await other.get("/here/n/0007"))?.key).toBe("/here/n/0007");
    const { changes } = await store.changes("/registry/", { after: 1, limit: 5_000 });
    expect(changes.length).toBe(1_200);
    const large = await store.commit({
      type: "create",
      key: "/registry/large",
      value: new Uint8Array(1_400_000),
    });
    expect((await store.get("/registry/large"))?.modRevision).toBe(large);
    const tooLarge = store.commit({
      type: "create",
      key: "/registry/larger",
      value: new Uint8Array(2_000_000),
    });
    expect(await refusal(tooLarge)).toBe("tooLarge");
  });

  test("tells how far a watch is, wherever others write", async () => {
    const { urls } = await newCluster(1);
    const [store, other] = [await open(urls), await open(urls)];
    const stop = new AbortController();
    const seen: string[] = [];
    const target = 1 + 40;
    const done = (async () => {
      const onProgress = (revision: number) => {
        seen.push(`through ${revision}`);
        if (revision === target) stop.abort();
      };
      for await (const batch of store.watch("/a/", { after: 1, signal: stop.signal, onProgress }))
        seen.push(...batch.map((change) => `change ${revisionOf(change)}`));
    })();
    for (let index = 0; index < 20; index++) {
      await other.commit(create(`/a/${index}`));
      await other.commit(create(`/b/${index}`));
    }
    await done;
    expect(await store.currentRevision()).toBe(target);
    const order = seen.map((text) => [text.split(" ")[0], Number(text.split(" ")[1])] as const);
    expect(order.filter(([kind]) => kind === "change").map(([, revision]) => revision)).toEqual(
      Array.from({ length: 20 }, (_, index) => 2 + 2 * index),
    );
    order.forEach(([kind, revision], index) => {
      if (kind === "through") expect(order.slice(index).every(([, later]) => later >= revision)).toBe(true);
    });
  });

  test("goes on when compaction is where it has watched already, and is told where it has not", async () => {
    const cluster = await newCluster(1);
    const store = await open(cluster.urls, { attemptTimeout: 500 });
    let revision = await store.commit(create("/a", "0"));
    const { read } = watchFrom(store, "/", 1);
    expect(await read(1)).toEqual(["2 put /a=0"]);
    for (let index = 1; index <= 10; index++)
      revision = await store.commit(update("/a", String(index), revision));
    expect((await read(10)).at(-1)).toBe("12 put /a=10 was 9");
    await store.compact(revision);
    cluster.members[0]!.signal("SIGKILL");
    await cluster.members[0]!.start();
    const next = read(1);
    await store.commit(update("/a", "again", revision));
    expect(await next).toEqual(["13 put /a=again was 10"]);
    expect(await refusal(watchFrom(store, "/", 11).read(1))).toBe("compacted");
    expect(store.compactedRevision).toBe(12);
  });

  test("tells while no member answers", async () => {
    const { members, urls } = await newCluster(1);
    const store = await open(urls, { attemptTimeout: 600, requestTimeout: 1_800 });
    members[0]!.signal("SIGKILL");
    expect(await refusal(store.get("/a"))).toBe("unavailable");
    expect(store.problem).toMatch(/^etcd does not answer: No connection established/);
    expect(await refusal(store.commit(create("/a")))).toBe("unavailable");
    await members[0]!.start();
    // The connection is made again after a pause of its own.
    while ((await refusal(store.get("/a"))) === "unavailable");
    expect(store.problem).toBeUndefined();
    expect(await store.commit(create("/a"))).toBe(2);
  });

  test("goes from member to member as they fail", async () => {
    const { members, urls } = await newCluster(3);
    const store = await open(urls, { attemptTimeout: 1_000, requestTimeout: 20_000 });
    const { read } = watchFrom(store, "/", 1);
    let told = read(1);
    const lines: string[] = [];
    const expected: string[] = [];
    for (const [index, member] of members.entries()) {
      const revision = await commitAnyhow(store, { type: "create", key: `/${index}`, value: bytes("1") });
      member.signal(index === 1 ? "SIGSTOP" : "SIGKILL");
      expected.push(
        `${revision} put /${index}=1`,
        `${await commitAnyhow(store, update(`/${index}`, "2", revision))} put /${index}=2 was 1`,
      );
      while (lines.length < expected.length) {
        lines.push(...(await told));
        told = read(1);
      }
      if (index === 1) member.signal("SIGCONT");
      else await member.start();
    }
    expect(lines).toEqual(expected);
  });
});
