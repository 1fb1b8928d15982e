import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { type Channel, createCaller, GrpcError, openChannel } from "../../grpc/index.ts";
import { createMemoryStore, type Mvcc } from "../../store/index.ts";
import { openLogStore } from "../../store/log/index.ts";
import { etcdCodec, type EtcdInput, type EtcdOutput, methods } from "../messages.ts";
import { createEtcdServer, type EtcdServer, identityOf } from "./index.ts";

const callsOf = (channel: Channel) => createCaller(channel, { codec: etcdCodec, methods });

let folder: string;
let server: EtcdServer | undefined;
let listener: Server | undefined;
let channel: Channel | undefined;
let clock: VirtualClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubets-etcd-"));
  clock = new VirtualClock();
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

async function stop() {
  channel?.close();
  listener?.close();
  await server?.close();
}

/** Serves the store at a socket; answers how to call it. */
async function serve(store: Mvcc, limits: { requestBytes?: number; quotaBytes?: number } = {}) {
  const path = join(folder, "socket");
  const made = await createEtcdServer({
    store,
    identity: identityOf({ name: "m", clientUrls: [], peerUrls: ["http://localhost:2380"] }),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    passwordCost: 4,
    limits,
  });
  server = made;
  listener = createServer((socket) => made.accept(socket));
  await new Promise<void>((resolve) => listener!.listen(path, resolve));
  channel = openChannel(`unix://${path}`, { settings: { "grpc.max_receive_message_length": -1 } });
  return callsOf(channel);
}

const bytes = (text: string) => new TextEncoder().encode(text);
const refused = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    (error: GrpcError) => `${error.code} ${error.message}`,
  );

type Answer = EtcdOutput<"WatchResponse">;

/** A stream of watches, of which the next answers can be awaited. */
async function watching(
  calls: Awaited<ReturnType<typeof serve>>,
  ...requests: EtcdInput<"WatchCreateRequest">[]
) {
  const stream = calls.stream("Watch");
  const answers = stream[Symbol.asyncIterator]();
  const next = async () => (await answers.next()).value as Answer;
  for (const createRequest of requests) {
    await stream.send({ createRequest });
    expect(await next()).toMatchObject({ created: true });
  }
  return { send: stream.send.bind(stream), next };
}

test("numbers of member and cluster are etcd's", () => {
  expect(identityOf({ name: "default", clientUrls: [], peerUrls: ["http://localhost:2380"] })).toMatchObject({
    memberId: String(0x8e9e05c52164694dn),
    clusterId: String(0xcdf818194e3a8c32n),
  });
});

test("watches share a stream, tell events once, and progress only when all is told", async () => {
  const store = createMemoryStore();
  const calls = await serve(store);
  const { send, next } = await watching(
    calls,
    { key: "a", rangeEnd: "c" },
    { key: "b", watchId: 9, prevKv: true, filters: [0] },
  );
  await calls.unary("Put", { key: "b", value: bytes("1") });
  expect(await next()).toMatchObject({ watchId: 0, header: { revision: 2 }, events: [{ kv: { key: "b" } }] });
  await send({ progressRequest: {} });
  expect(await next()).toMatchObject({ watchId: -1, header: { revision: 2 }, events: [] });
  await send({ cancelRequest: { watchId: 0 } });
  expect(await next()).toMatchObject({ watchId: 0, canceled: true });
  await calls.unary("DeleteRange", { key: "b" });
  const { watchId, events } = await next();
  expect(watchId).toBe(9);
  expect(events).toMatchObject([
    { type: 1, kv: { key: "b", modRevision: 3 }, prevKv: { value: bytes("1") } },
  ]);
});

test("progress is told every ten minutes to watches that ask for it and hear nothing", async () => {
  const calls = await serve(createMemoryStore());
  const { next } = await watching(calls, { key: "a", progressNotify: true }, { key: "a" });
  await calls.unary("Put", { key: "b" });
  await clock.advance(600_000);
  expect(await next()).toMatchObject({ watchId: 0, header: { revision: 2 }, events: [] });
});

test("a watch that lags behind a compaction is told of it", async () => {
  const store = createMemoryStore();
  const calls = await serve(store);
  for (let count = 0; count < 5; count++) await calls.unary("Put", { key: "a" });
  await calls.unary("Compact", { revision: 4 });
  const { next } = await watching(calls, { key: "a", startRevision: 2 });
  expect(await next()).toMatchObject({ canceled: true, compactRevision: 4 });
});

test("a slow watcher loses nothing, gets fragments where it takes them, and holds up nobody", async () => {
  const calls = await serve(createMemoryStore(), { requestBytes: 100_000 });
  const { next } = await watching(calls, { key: "k", rangeEnd: "l", fragment: true });
  const value = new Uint8Array(20_000);
  for (let round = 0; round < 30; round++) {
    const success = Array.from({ length: 4 }, (_, index) => ({ requestPut: { key: `k${index}`, value } }));
    await calls.unary("Txn", { success });
    await calls.unary("Put", { key: "k9", value: new Uint8Array(90_000) });
  }
  const seen: string[] = [];
  while (seen.length < 150) {
    const { events } = await next();
    seen.push(...events.map(({ kv }) => `${kv?.modRevision} ${kv?.key}`));
    const size = events.reduce((sum, { kv }) => sum + (kv?.value.length ?? 0), 0);
    expect(size).toBeLessThanOrEqual(100_000);
  }
  const expected = Array.from({ length: 30 }, (_, round) => [
    ...[0, 1, 2, 3].map((index) => `${round * 2 + 2} k${index}`),
    `${round * 2 + 3} k9`,
  ]);
  expect(seen).toEqual(expected.flat());
});

test("requests beyond the limits are refused in etcd's words", async () => {
  const calls = await serve(createMemoryStore());
  const put = { requestPut: { key: "a" } };
  const cases: readonly [() => Promise<unknown>, string][] = [
    [
      () => calls.unary("Put", { key: "a", value: new Uint8Array(1_600_000) }),
      "3 etcdserver: request is too large",
    ],
    [
      () => calls.unary("Put", { key: "a", value: new Uint8Array(2_200_000) }),
      "8 grpc: received message larger than max (2200008 vs. 2097152)",
    ],
    [
      () => calls.unary("Txn", { success: Array.from({ length: 129 }, () => put) }),
      "3 etcdserver: too many operations in txn request",
    ],
    [() => calls.unary("Txn", { success: [put, put] }), "3 etcdserver: duplicate key given in txn request"],
    [() => calls.unary("Txn", { success: [{}] }), "3 etcdserver: key not found"],
    [() => calls.unary("LeaseGrant", { ttl: 9_000_000_001 }), "11 etcdserver: too large lease TTL"],
    [() => calls.unary("LeaseRevoke", { id: "5" }), "5 etcdserver: requested lease not found"],
    [() => calls.unary("MemberRemove", { id: "5" }), "5 etcdserver: member not found"],
    [() => calls.unary("Downgrade", {}), "12 unknown method Downgrade for service etcdserverpb.Maintenance"],
  ];
  for (const [call, expected] of cases) expect(await refused(call())).toBe(expected);
});

test("leases are renewed over a stream, and end", async () => {
  const store = createMemoryStore({ clock });
  const calls = await serve(store);
  const { id, ttl } = await calls.unary("LeaseGrant", { ttl: 1 });
  expect(ttl).toBe(2);
  await calls.unary("Put", { key: "a", lease: id });
  const stream = calls.stream("LeaseKeepAlive");
  const answers = stream[Symbol.asyncIterator]();
  await clock.advance(1500);
  await stream.send({ id });
  expect((await answers.next()).value).toMatchObject({ id, ttl: 2 });
  await clock.advance(1500);
  expect(await calls.unary("LeaseTimeToLive", { id, keys: true })).toMatchObject({
    ttl: 0,
    grantedTtl: 2,
    keys: ["a"],
  });
  await clock.advance(1000);
  await stream.send({ id });
  expect((await answers.next()).value).toMatchObject({ id, ttl: 0 });
  stream.end();
  expect(await calls.unary("Range", { key: "a" })).toMatchObject({ count: 0 });
});

test("a full quota refuses what needs room, and lets keys be deleted", async () => {
  const store = await openLogStore({ directory: join(folder, "store") });
  const calls = await serve(store, { quotaBytes: 1 });
  expect(await refused(calls.unary("Put", { key: "a" }))).toBe("8 etcdserver: mvcc: database space exceeded");
  expect(await refused(calls.unary("DeleteRange", { key: "a" }))).toBe("done");
  expect((await calls.unary("Alarm", {})).alarms).toHaveLength(1);
  await stop();
  await store.close();
});

test("users survive a restart and show in no range, tokens end with the server", async () => {
  const directory = join(folder, "store");
  const first = await openLogStore({ directory });
  const calls = await serve(first);
  await calls.unary("UserAdd", { name: "root", password: "secret" });
  await calls.unary("UserGrantRole", { user: "root", role: "root" });
  await calls.unary("AuthEnable", {});
  const { token } = await calls.unary("Authenticate", { name: "root", password: "secret" });
  const all = { key: "\0", rangeEnd: "\0" };
  expect(await calls.unary("Range", all, { headers: { token } })).toMatchObject({ count: 0 });
  await stop();
  await first.close();

  const second = await openLogStore({ directory });
  const again = await serve(second);
  expect(await refused(again.unary("Range", all))).toBe("3 etcdserver: user name is empty");
  expect(await refused(again.unary("Range", all, { headers: { token } }))).toBe(
    "16 etcdserver: invalid auth token",
  );
  const login = await again.unary("Authenticate", { name: "root", password: "secret" });
  expect(await again.unary("Range", all, { headers: { token: login.token } })).toMatchObject({ count: 0 });
  await clock.advance(300_001);
  expect(await refused(again.unary("Range", all, { headers: { token: login.token } }))).toContain(
    "invalid auth token",
  );
  await stop();
  await second.close();
});

test("plain HTTP has health, version and metrics", async () => {
  const calls = await serve(createMemoryStore());
  await calls.unary("Put", { key: "a" });
  const get = (path: string) =>
    new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(join(folder, "socket"), () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`),
      );
      socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(text));
    });
  expect(await get("/health")).toContain('{"health":"true"');
  expect(await get("/version")).toContain('"etcdserver":"3.5.');
  expect(await get("/nothing")).toContain("404 Not Found");
  const metrics = await get("/metrics");
  expect(metrics).toContain("etcd_debugging_mvcc_current_revision 2\n");
  expect(metrics).toContain(
    'grpc_server_handled_total{grpc_code="OK",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} 1',
  );
});
