import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { storageSettings } from "./storage-settings.ts";
import type { StorageTexts } from "./storage-flags.ts";

test("without a server objects are kept in files of the cluster's own", () => {
  const own = { etcd: undefined, compactionInterval: undefined, mediaType: "application/json", history: {} };
  expect(storageSettings({})).toEqual(own);
  expect(storageSettings({ "etcd-servers": "" })).toEqual(own);
});

test("flags say where etcd is and how it is reached", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubets-storage-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string) => {
    writeFileSync(join(folder, name), name);
    return join(folder, name);
  };
  expect(
    storageSettings({
      "etcd-servers": "https://10.0.0.1:2379,https://10.0.0.2:2379",
      "etcd-cafile": file("ca"),
      "etcd-certfile": file("certificate"),
      "etcd-keyfile": file("key"),
      "etcd-prefix": "kubernetes/",
      "etcd-compaction-interval": "1m30s",
    }),
  ).toEqual({
    etcd: {
      servers: ["https://10.0.0.1:2379", "https://10.0.0.2:2379"],
      tls: { authority: "ca", certificate: "certificate", key: "key" },
      place: { ours: "/registry", theirs: "/kubernetes" },
    },
    compactionInterval: 90_000,
    history: { interval: 90_000 },
    mediaType: "application/vnd.kubernetes.protobuf",
  });
});

test("history is bounded by time, revisions and bytes", () => {
  const texts = {
    "etcd-compaction-interval": "10m",
    "history-revisions": "5000",
    "history-bytes": "1000000",
  };
  expect(storageSettings(texts).history).toEqual({ interval: 600_000, revisions: 5_000, bytes: 1_000_000 });
});

test.each<[StorageTexts, string]>([
  [{ "etcd-servers": "10.0.0.1:2379" }, "--etcd-servers 10.0.0.1:2379 is no URL such as"],
  [{ "etcd-servers": "http://a", "etcd-certfile": "/none" }, "--etcd-certfile cannot be read: ENOENT"],
  [{ "etcd-servers": "http://a", "etcd-certfile": "/dev/null" }, "belong together: give both or none"],
  [{ "etcd-cafile": "/dev/null" }, "--etcd-servers must be specified"],
  [{ "etcd-compaction-interval": "5" }, '--etcd-compaction-interval time: missing unit in duration "5"'],
  [{ "storage-media-type": "text/plain" }, '--storage-media-type "text/plain" invalid, allowed values: app'],
])("%o makes no sense", (texts, message) => {
  expect(() => storageSettings(texts)).toThrow(message);
});
