import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMemoryStore } from "../../src/store/index.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { etcdctl, hasEtcd, type RunningEtcd, startEtcd, startOurs } from "./harness.ts";

/** What differs from server to server, or from day to day. */
function normal(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .replaceAll(/took \d[\d.]*[µm]?s|= [\d.]+[µm]?s/g, "TIME")
    .replaceAll(
      /"(cluster_id|member_id|raft_term|leader|raftIndex|raftTerm|raftAppliedIndex|dbSize|dbSizeInUse|id|ID)":\d+,?/g,
      "",
    )
    .replaceAll(/\{"level":"warn","ts":"[^"]*"/g, "{")
    .replaceAll(/endpoint:\/\/client-[0-9a-f-]+\//g, "endpoint://")
    .replaceAll(/"attempt":\d+/g, "");
}

describe.skipIf(!hasEtcd)("etcdctl sees no difference between etcd and ours", () => {
  let scratch: string;
  let theirs: RunningEtcd;
  let ours: RunningEtcd;
  beforeAll(async () => {
    scratch = await temporaryDirectory();
    theirs = await startEtcd(join(scratch, "etcd"), ["--bcrypt-cost=4"]);
    ours = await startOurs(createMemoryStore());
  });
  afterAll(async () => {
    await Promise.all([theirs.stop(), ours.stop()]);
    await rm(scratch, { recursive: true });
  });

  async function check(commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const args = command.split(" ");
      const [expected, found] = await Promise.all([
        etcdctl(theirs.endpoint, args),
        etcdctl(ours.endpoint, args),
      ]);
      const shown = ({ code, stdout, stderr }: typeof expected) =>
        `$ etcdctl ${command}\n${normal(stdout)}${normal(stderr)}exit code ${code}`;
      expect(shown(found)).toBe(shown(expected));
    }
  }

  test("reading and writing", () =>
    check([
      "put a 1",
      "put a 2 --prev-kv",
      "put b/1 x",
      "put b/2 y",
      "put b/3 z",
      "get a -w json",
      "get nothing -w json",
      "get b/ --prefix",
      "get b/ --prefix --keys-only",
      "get b/ --prefix --limit 2 -w json",
      "get b/ --prefix --order DESCEND --sort-by CREATE",
      "get b/ --prefix --count-only -w json",
      "get --from-key b/2",
      "get a --rev 2 -w json",
      "get a --rev 99",
      "get a b/2",
      "get b/9 b/0 -w json",
      "put a --ignore-lease 4",
      "put a x --ignore-value",
      "put a --ignore-value",
      "put new --ignore-value",
      "del b/2 --prev-kv",
      "del b/2",
      "del b/ --prefix -w json",
      "get -w json --prefix  ",
    ]));

  test("compaction", () =>
    check([
      "put c 1",
      "put c 2",
      "put c 3",
      "compaction 8",
      "get c --rev 3",
      "get c --rev 7",
      "get c --rev 8 -w json",
      "compaction 8",
      "compaction 5",
      "compaction 999",
      "compaction --physical 10",
      "get c -w json",
      "check perf --load=x",
    ]));

  test("leases", () =>
    check([
      "lease grant 100 --id 1f",
      "lease revoke 77",
      "lease timetolive 77",
      "lease keep-alive --once 77",
    ]));

  test("members, health, and what is refused", () =>
    check([
      "endpoint health",
      "alarm list",
      "alarm disarm",
      "move-leader 1",
      "defrag",
      "endpoint hashkv",
      "endpoint hashkv --rev 9",
    ]));

  test("users, roles and permissions", () =>
    check([
      "auth enable",
      "user add root:pw",
      "user add root:pw",
      "auth enable --user root:pw",
      "role add r",
      "role add r",
      "role grant-permission r readwrite a c",
      "role grant-permission r read x --prefix=true",
      "role grant-permission missing read x",
      "role get r",
      "role get missing",
      "role revoke-permission r nothing",
      "user add u:secret",
      "user add nopw --no-password",
      "user grant-role u r",
      "user grant-role u missing",
      "user grant-role missing r",
      "user get u",
      "user get missing",
      "user revoke-role u missing",
      "user list",
      "role list",
      "role add root",
      "user grant-role root root",
      "auth enable",
      "get a",
      "get a --user u:wrong",
      "get a --user nobody:x",
      "get a --user nopw:",
      "put a 1 --user u:secret",
      "get a --user u:secret",
      "get a c --user u:secret",
      "get a d --user u:secret",
      "get xyz --user u:secret",
      "put xyz 1 --user u:secret",
      "del a --user u:secret",
      "user list --user u:secret",
      "user get u --user u:secret",
      "user get root --user u:secret",
      "role get r --user u:secret",
      "role get root --user u:secret",
      "role get root --user root:pw",
      "user delete root --user root:pw",
      "role delete root --user root:pw",
      "user revoke-role root root --user root:pw",
      "role delete r --user root:pw",
      "get a --user u:secret",
      "user delete u --user root:pw",
      "snapshot save /dev/null --user u:secret",
      "auth disable --user root:pw",
      "auth disable",
      "get a",
    ]));
});
