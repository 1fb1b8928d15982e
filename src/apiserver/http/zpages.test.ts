import { expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { zPages } from "./zpages.ts";

async function page(path: string, accept?: string) {
  const clock = new VirtualClock(Date.UTC(2026, 10, 5, 9, 43, 20));
  const started = clock.now();
  await clock.advance(3_725_000);
  const serve = zPages({
    clock,
    random: seededRandom(1),
    started,
    goVersion: "node v20",
    binaryVersion: "1.36.0+kubets",
    flags: { "runtime-config": "api/all=true", "max-requests-inflight": "400" },
    paths: ["/healthz", "/statusz"],
  });
  let answered = { status: 0, type: "", text: "" };
  const exchange = {
    path,
    headers: accept === undefined ? {} : { accept },
    respond(status: number, headers: Record<string, string>, body: Uint8Array) {
      answered = { status, type: headers["content-type"] ?? "", text: Buffer.from(body).toString() };
    },
  };
  const known = await serve({ exchange, headers: {} } as unknown as Parameters<typeof serve>[0]);
  return { known, ...answered };
}

test("the status as text", async () => {
  const { status, type, text } = await page("/statusz");
  expect([status, type]).toEqual([200, "text/plain; charset=utf-8"]);
  expect(text).toMatch(
    /^\nkube-apiserver statusz\nWarning: .*\n\nStarted(.{1,2}) Thu Nov {2}5 09:43:20 UTC 2026\nUp\1 1 hr 02 min 05 sec\n/,
  );
  expect(text).toMatch(/\nEmulation version.{1,2} 1\.36\nPaths.{1,2} \/healthz \/statusz\n$/);
});

test("the status as an object", async () => {
  const { type, text } = await page("/statusz", "application/json;v=v1alpha1;g=config.k8s.io;as=Statusz");
  expect(type).toBe("application/json");
  expect(JSON.parse(text)).toEqual({
    kind: "Statusz",
    apiVersion: "config.k8s.io/v1alpha1",
    metadata: { name: "kube-apiserver" },
    startTime: "2026-11-05T09:43:20Z",
    uptimeSeconds: 3_725,
    goVersion: "node v20",
    binaryVersion: "1.36.0+kubets",
    emulationVersion: "1.36",
    paths: ["/healthz", "/statusz"],
  });
});

test("the flags, sorted", async () => {
  const { text } = await page("/flagz", "text/plain");
  expect(text).toMatch(/\n\nmax-requests-inflight.{1,2}400\nruntime-config.{1,2}api\/all=true\n$/);
  const { text: object } = await page("/flagz", "application/json;v=v1alpha1;g=config.k8s.io;as=Flagz");
  expect(JSON.parse(object)).toMatchObject({ kind: "Flagz", flags: { "runtime-config": "api/all=true" } });
});

test("JSON that says too little is refused, other paths are left alone", async () => {
  await expect(page("/statusz", "application/json")).rejects.toThrow("only the following media types");
  expect((await page("/else")).known).toBe(false);
});
