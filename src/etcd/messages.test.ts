import { expect, test } from "vitest";
import { enumerations, etcdCodec } from "./messages.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("messages have etcd's bytes", () => {
  expect(hex(etcdCodec.encode("RangeRequest", { key: "/a/", rangeEnd: "/a0", limit: 1 }))).toBe(
    "0a032f612f12032f61301801",
  );
  const { compareTarget, compareResult } = enumerations;
  const request = {
    compare: [{ target: compareTarget.mod, result: compareResult.equal, key: "k", modRevision: 0 }],
    success: [{ requestPut: { key: "k", value: Uint8Array.of(1), lease: "7587854747396153612" } }],
    failure: [{ requestRange: { key: "k" } }],
  };
  const bytes = etcdCodec.encode("TxnRequest", request);
  expect(hex(bytes)).toBe("0a0710021a016b3000121212100a016b120101188cc2bcce8cb6dea6691a050a030a016b");
  expect(etcdCodec.decode("TxnRequest", bytes)).toMatchObject(request);
});
