import { gunzipSync } from "node:zlib";
import { request } from "node:https";
import { afterEach, expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { ProcessProfiler } from "./profiling/profiler.ts";
import { openFront } from "./front-suite.ts";
import type { Front } from "./front-suite.ts";

let front: Front;
afterEach(() => front.close());

const get = (path: string, method = "GET", body?: string) =>
  front.ask(path, { as: "admin", method, ...(body === undefined ? {} : { body }) });

/** The bytes of an answer. */
function bytesOf(path: string): Promise<Buffer> {
  const { port } = front.api.address;
  return new Promise((resolve, reject) => {
    request(
      {
        host: "127.0.0.1",
        port,
        path,
        ca: front.ca.certificate,
        headers: { authorization: "Bearer admin" },
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve(Buffer.concat(parts)));
      },
    )
      .on("error", reject)
      .end();
  });
}

test("profiles can be turned off", async () => {
  front = await openFront({ profiling: false, setVerbosity: () => undefined });
  for (const path of ["/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/flags/v"]) {
    expect((await get(path)).status).toBe(404);
  }
});

test("the configuration of a component is nothing that upstream's API server tells, but its flags", async () => {
  front = await openFront({ flags: { "secure-port": "6443" } });
  for (const path of ["/configz", "/logs"]) {
    const { status, text } = await get(path);
    expect([status, text]).toEqual([404, "404 page not found\n"]);
  }
  expect((await get("/flagz")).text).toMatch(/^secure-port(?:: ?|=| )6443$/m);
});

test("profiles of processor and heap", async () => {
  front = await openFront();
  const moved = await get("/debug/pprof");
  expect([moved.status, moved.headers.location]).toEqual([302, "/debug/pprof/"]);
  const index = await get("/debug/pprof/");
  expect(index.text).toContain("<a href='profile'>profile</a>");
  expect((await get("/debug/pprof/nonsense")).text).toBe("Unknown profile\n");
  const heap = gunzipSync(await bytesOf("/debug/pprof/heap"));
  expect(heap.toString("latin1")).toContain("inuse_space");
  expect((await get("/debug/pprof/heap?debug=1")).text).toMatch(/^heapUsed \d+$/m);
  const raw = JSON.parse((await get("/debug/pprof/heap?format=v8")).text) as { head: object };
  expect(raw.head).toBeDefined();
  const profile = gone(bytesOf("/debug/pprof/profile?seconds=1"));
  while (!profile.settled) await front.clock.advance(1_000);
  expect(gunzipSync(await profile.promise).toString("latin1")).toContain("nanoseconds");
});

/** A promise of which can be seen whether it has settled. */
function gone<T>(promise: Promise<T>): { readonly promise: Promise<T>; readonly settled: boolean } {
  const state = { promise, settled: false };
  void promise.finally(() => (state.settled = true));
  return state;
}

test("one looks at the processor at a time", async () => {
  front = await openFront();
  const clock = new VirtualClock();
  const profiler = new ProcessProfiler(clock);
  await profiler.start();
  const { signal } = new AbortController();
  const first = profiler.cpu(1_000, signal);
  expect(await profiler.cpu(1_000, signal)).toBeUndefined();
  const seen = gone(first);
  while (!seen.settled) await clock.advance(1_000);
  expect((await first)?.profile.measures).toEqual([
    ["samples", "count"],
    ["cpu", "nanoseconds"],
  ]);
  profiler.close();
});

test("how much is logged can be set", async () => {
  const set: number[] = [];
  front = await openFront({ setVerbosity: (verbosity) => void set.push(verbosity) });
  expect((await get("/debug/flags/")).text).toContain("flags:<br>");
  const read = await get("/debug/flags/v");
  expect([read.status, read.text]).toEqual([406, "unsupported http method"]);
  const done = await get("/debug/flags/v", "PUT", "5");
  expect([done.status, done.text]).toEqual([200, "successfully set klog.logging.verbosity to 5"]);
  expect(set).toEqual([5]);
  const refused = await get("/debug/flags/v", "PUT", "abc");
  expect([refused.status, refused.text]).toEqual([
    400,
    'failed set klog.logging.verbosity abc: strconv.ParseInt: parsing "abc": invalid syntax',
  ]);
});
