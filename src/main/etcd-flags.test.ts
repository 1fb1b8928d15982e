import { expect, test } from "vitest";
import { etcdFlags, etcdSettings } from "./etcd-flags.ts";
import { parseFlags } from "./flags.ts";

const settings = (...args: string[]) => etcdSettings(parseFlags(args, etcdFlags).flags);

test("flags have etcd's meaning", () => {
  const cases: readonly [string[], object][] = [
    [[], { name: "default", directory: "default.etcd", history: undefined, limits: { quotaBytes: 2 ** 31 } }],
    [["--name", "a"], { directory: "a.etcd" }],
    [["--auto-compaction-retention", "1"], { history: { interval: 3_600_000 } }],
    [["--auto-compaction-retention=5m"], { history: { interval: 300_000 } }],
    [
      ["--auto-compaction-mode=revision", "--auto-compaction-retention=1000"],
      { history: { revisions: 1000 } },
    ],
    [
      ["--listen-client-urls", "http://[::1]:1,unix:///a/b"],
      { advertise: ["http://[::1]:1", "unix:///a/b"] },
    ],
  ];
  for (const [args, expected] of cases) expect(settings(...args)).toMatchObject(expected);
});

test("what cannot be served is refused", () => {
  const cases: readonly [string[], string][] = [
    [["--listen-client-urls", "ftp://a"], '--listen-client-urls: "ftp://a" is no http, https or unix URL'],
    [["--listen-client-urls", "https://a:1"], "https needs --cert-file and --key-file"],
    [["--initial-cluster", "a=http://a,b=http://b"], "kubets etcd is always the only one"],
    [["--auto-compaction-mode", "x"], 'unknown auto-compaction-mode "x"'],
    [["--auto-compaction-mode=revision", "--auto-compaction-retention=1h"], '"1h" is no length of history'],
    [["--log-level", "loud"], 'unknown log level "loud"'],
  ];
  for (const [args, reason] of cases) expect(() => settings(...args)).toThrow(reason);
});
