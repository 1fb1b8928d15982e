import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { VirtualClock } from "../base/index.ts";
import { planOldLogs, removeLogs, rotateLog } from "./log-rotation.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubets-logs-"));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  { names: ["0.log", "1.log"], remove: [], compress: [] },
  { names: ["0.log", "0.log.20260101-000000"], remove: [], compress: ["0.log.20260101-000000"] },
  {
    names: ["0.log", "0.log.1.gz", "0.log.2.gz", "0.log.3.gz", "0.log.4", "0.log.4.tmp"],
    remove: ["0.log.4.tmp", "0.log.1.gz"],
    compress: ["0.log.4"],
  },
])("of $names", ({ names, remove, compress }) => {
  expect(planOldLogs(names, "0.log")).toEqual({ remove, compress });
});

const clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5));
const logPath = () => join(folder, "0.log");

test("a log is put aside, and the runtime begins a new one", async () => {
  await writeFile(logPath(), "new");
  await writeFile(`${logPath()}.20260101-000000`, "old");
  const reopened: string[] = [];
  const reopenContainerLog = async ({ containerId = "" }: { containerId?: string | undefined }) => {
    reopened.push(containerId);
    await writeFile(logPath(), "");
    return {};
  };
  await rotateLog({ id: "c", logPath: logPath() }, { cri: { reopenContainerLog }, clock });
  expect(reopened).toEqual(["c"]);
  expect((await readdir(folder)).sort()).toEqual([
    "0.log",
    "0.log.20260101-000000.gz",
    "0.log.20260102-030405",
  ]);
  expect(await readFile(`${logPath()}.20260102-030405`, "utf8")).toBe("new");
  expect(String(gunzipSync(await readFile(`${logPath()}.20260101-000000.gz`)))).toBe("old");
  await removeLogs(logPath());
  expect(await readdir(folder)).toEqual([]);
});

test("a log that the runtime does not let go stays where it is", async () => {
  await writeFile(logPath(), "new");
  const reopenContainerLog = () => Promise.reject(new Error("busy"));
  await expect(
    rotateLog({ id: "c", logPath: logPath() }, { cri: { reopenContainerLog }, clock }),
  ).rejects.toThrow("busy");
  expect(await readFile(logPath(), "utf8")).toBe("new");
});
