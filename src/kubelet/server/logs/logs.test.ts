import { appendFile, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../base/index.ts";
import { fullTime } from "./log-line.ts";
import { LogOutput } from "./log-output.ts";
import type { LogSelection } from "./log-output.ts";
import { readLogs, tailStart } from "./read-logs.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubets-logs-"));
});
afterAll(() => rm(folder, { recursive: true }));

const log =
  "2026-01-01T00:00:01Z stdout F one\n" +
  "2026-01-01T00:00:02.5Z stderr F two\n" +
  "2026-01-01T00:00:03.000000001+00:00 stdout P th\n" +
  "2026-01-01T00:00:03.1Z stdout F ree\n" +
  "not a log line\n" +
  "2026-01-01T00:00:04Z stdout F \n" +
  "2026-01-01T00:00:05Z stdout F a b  c\n";

const cases: readonly { name: string; selection: LogSelection; shown: string }[] = [
  { name: "everything", selection: {}, shown: "one\ntwo\nthree\n\na b  c\n" },
  { name: "one stream", selection: { stream: "stderr" }, shown: "two\n" },
  {
    name: "since",
    selection: { since: Date.parse("2026-01-01T00:00:02.600Z") },
    shown: "three\n\na b  c\n",
  },
  { name: "a limit", selection: { limitBytes: 9 }, shown: "one\ntwo\nt" },
  {
    name: "timestamps",
    selection: { timestamps: true, limitBytes: 105 },
    shown:
      "2026-01-01T00:00:01.000000000Z one\n2026-01-01T00:00:02.500000000Z two\n2026-01-01T00:00:03.000000001Z thre",
  },
];

test.each(cases)("shows $name, however the file's bytes come", ({ selection, shown }) => {
  for (const size of [1, 7, 1000]) {
    const output = new LogOutput(selection);
    let text = "";
    const bytes = Buffer.from(log);
    for (let at = 0; at < bytes.length; at += size)
      text += String(output.push(bytes.subarray(at, at + size)));
    expect(text).toBe(shown.slice(0, selection.limitBytes ?? Infinity));
  }
});

test("times of other zones keep them", () => {
  expect(fullTime("2026-01-01T00:00:01.25+02:00")).toBe("2026-01-01T00:00:01.250000000+02:00");
});

test.each([
  { content: "", lines: 3, start: 0 },
  { content: "a\nb\nc\n", lines: 2, start: 2 },
  { content: "a\nb\nc", lines: 2, start: 2 },
  { content: "a\nb\nc\n", lines: 9, start: 0 },
  { content: "a\nb\n", lines: 0, start: 4 },
  { content: `x\n${"y".repeat(200_000)}\nz\n`, lines: 2, start: 2 },
])("the last $lines lines begin at $start", async ({ content, lines, start }) => {
  const path = join(folder, "tail.log");
  await writeFile(path, content);
  const file = await open(path);
  expect(await tailStart(file, lines)).toBe(start);
  await file.close();
});

/** Follows a log; answers what was written, and lets the test wait for a text. */
function following(path: string, options: { running: () => boolean; tailLines?: number }) {
  let text = "";
  let check: () => void = () => undefined;
  const abort = new AbortController();
  const done = readLogs(path, {
    follow: true,
    ...(options.tailLines === undefined ? {} : { tailLines: options.tailLines }),
    clock: systemClock,
    signal: abort.signal,
    isRunning: () => Promise.resolve(options.running()),
    write: (bytes) => {
      text += String(bytes);
      check();
      return Promise.resolve();
    },
  });
  const until = (wanted: string) =>
    new Promise<void>((resolve) => {
      check = () => text === wanted && resolve();
      check();
    });
  return { done, until, abort, text: () => text };
}

const line = (text: string) => `2026-01-01T00:00:01Z stdout F ${text}\n`;

test("follows a log through its rotation until the container ends", async () => {
  const path = join(folder, "0.log");
  await writeFile(path, line("old") + line("one"));
  let running = true;
  const follower = following(path, { running: () => running, tailLines: 1 });
  await follower.until("one\n");
  await appendFile(path, line("two"));
  await follower.until("one\ntwo\n");
  await rename(path, join(folder, "0.log.1"));
  await writeFile(path, line("three"));
  await follower.until("one\ntwo\nthree\n");
  running = false;
  await appendFile(path, line("four"));
  await follower.done;
  expect(follower.text()).toBe("one\ntwo\nthree\nfour\n");
});

test("a follower that goes away ends the reading", async () => {
  const path = join(folder, "1.log");
  await writeFile(path, line("one"));
  const follower = following(path, { running: () => true });
  await follower.until("one\n");
  follower.abort.abort();
  await follower.done;
});

test("a missing file is an error", async () => {
  await expect(following(join(folder, "none.log"), { running: () => false }).done).rejects.toThrow("ENOENT");
});
