import { expect, test } from "vitest";
import { GrpcError, grpcCode } from "../../grpc/index.ts";
import { failureOf, storeErrorOf } from "./failure.ts";
import { KeyMap } from "./keys.ts";

test("failures are told apart", () => {
  const cases: readonly [keyof typeof grpcCode, string, string, string?][] = [
    ["unavailable", "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1", "unsent"],
    ["unavailable", "etcdserver: no leader", "unsent"],
    ["resourceExhausted", "etcdserver: too many requests", "unsent"],
    ["unavailable", "etcdserver: request timed out", "uncertain"],
    ["unavailable", "etcdserver: leader changed", "uncertain"],
    ["unavailable", "Connection dropped", "uncertain"],
    ["deadlineExceeded", "Deadline exceeded after 5.000s", "uncertain"],
    ["unauthenticated", "etcdserver: invalid auth token", "token"],
    ["invalidArgument", "etcdserver: revision of auth store is old", "token"],
    ["outOfRange", "etcdserver: mvcc: required revision has been compacted", "refused", "compacted"],
    ["outOfRange", "etcdserver: mvcc: required revision is a future revision", "refused", "future"],
    ["notFound", "etcdserver: requested lease not found", "refused", "leaseNotFound"],
    ["invalidArgument", "etcdserver: request is too large", "refused", "tooLarge"],
    ["resourceExhausted", "etcdserver: mvcc: database space exceeded", "refused", "unavailable"],
    ["permissionDenied", "etcdserver: permission denied", "refused", "unavailable"],
  ];
  for (const [code, text, failure, type] of cases) {
    const error = new GrpcError(grpcCode[code], text);
    expect([text, failureOf(error)]).toEqual([text, failure]);
    if (type) expect([text, storeErrorOf(error).type]).toEqual([text, type]);
  }
  const full = new GrpcError(grpcCode.resourceExhausted, "etcdserver: mvcc: database space exceeded");
  expect(storeErrorOf(full).message).toBe("etcd: database space exceeded");
});

test("keys keep their place and their order in etcd", () => {
  const plain = new KeyMap({ ours: "", theirs: "" });
  const moved = new KeyMap({ ours: "/registry", theirs: "/kubernetes" });
  const cases: readonly [KeyMap, string, string][] = [
    [plain, "/a/b", "/a/b"],
    [moved, "/registry/pods/a", "/kubernetes/pods/a"],
    [moved, "/registry", "/kubernetes"],
    [plain, "/rolle/ü", "/rolle/Ã¼"],
  ];
  for (const [map, ours, theirs] of cases) {
    expect(map.toWire(ours)).toBe(theirs);
    expect(map.fromWire(theirs)).toBe(ours);
  }
  expect(moved.fromWire("/registry/pods/a")).toBeUndefined();
  const ranges: readonly [KeyMap, readonly [string, string?], readonly [string, string]][] = [
    [plain, ["/a/"], ["/a/", "/a0"]],
    [plain, ["/a/", "/a/b"], ["/a/b\0", "/a0"]],
    [plain, ["/a/", "/a"], ["/a/", "/a0"]],
    [plain, [""], ["\0", "\0"]],
    [moved, ["/"], ["/kubernetes", "/kubernetet"]],
    [moved, ["/registry/pods/", "/registry/pods/x"], ["/kubernetes/pods/x\0", "/kubernetes/pods0"]],
  ];
  for (const [map, [prefix, after], [key, rangeEnd]] of ranges)
    expect(map.range(prefix, after)).toEqual({ key, rangeEnd });
});
