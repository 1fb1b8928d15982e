import { describe, expect, test } from "vitest";
import { encodeProfile } from "./pprof.ts";
import { cpuProfile, heapProfile } from "./profiler.ts";

/** The fields of a message: numbers, and bytes of what has a length. */
function fieldsOf(bytes: Uint8Array): readonly (readonly [field: number, value: bigint | Uint8Array])[] {
  const fields: [number, bigint | Uint8Array][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) fields.push([tag >> 3, varint()]);
    else {
      const length = Number(varint());
      fields.push([tag >> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const frame = (functionName: string, lineNumber: number) => ({
  functionName,
  scriptId: "1",
  url: functionName.startsWith("(") ? "" : "file:///x.js",
  lineNumber,
  columnNumber: 0,
});

const cpu = {
  nodes: [
    { id: 1, callFrame: frame("(root)", -1), children: [2, 5] },
    { id: 2, callFrame: frame("serve", 9), children: [3, 4] },
    { id: 3, callFrame: frame("encode", 19) },
    { id: 4, callFrame: frame("", 29) },
    { id: 5, callFrame: frame("(idle)", -1) },
  ],
  startTime: 1_000,
  endTime: 51_000,
  samples: [3, 3, 5, 4],
  timeDeltas: [100, 10_000, 10_000, 20_000],
};

describe("profiles of V8 as Go has them", () => {
  test("where time goes", () => {
    const serve = { name: "serve", file: "file:///x.js", line: 10 };
    expect(cpuProfile(cpu, 5)).toMatchObject({
      measures: [
        ["samples", "count"],
        ["cpu", "nanoseconds"],
      ],
      samples: [
        { stack: [{ name: "encode", file: "file:///x.js", line: 20 }, serve], values: [2, 20_000_000] },
        { stack: [{ name: "(anonymous)", file: "file:///x.js", line: 30 }, serve], values: [1, 0] },
      ],
      timeNanoseconds: 5_000_000n,
      durationNanoseconds: 50_000_000n,
    });
  });

  test("what is on the heap", () => {
    const leaf = { callFrame: frame("make", 4), selfSize: 2_048, id: 2, children: [] };
    const head = { callFrame: frame("(root)", -1), selfSize: 0, id: 1, children: [leaf] };
    const samples = [
      { size: 1_024, nodeId: 2, ordinal: 1 },
      { size: 1_024, nodeId: 2, ordinal: 2 },
    ];
    expect(heapProfile({ head, samples }, 0).samples).toEqual([
      { stack: [{ name: "make", file: "file:///x.js", line: 5 }], values: [2, 2_048] },
    ]);
  });

  test("encoded: strings, functions and locations stand once, and are named by numbers", () => {
    const fields = fieldsOf(encodeProfile(cpuProfile(cpu, 5)));
    const strings = fields.flatMap(([field, value]) =>
      field === 6 ? [Buffer.from(value as Uint8Array).toString()] : [],
    );
    expect(strings[0]).toBe("");
    expect(new Set(strings).size).toBe(strings.length);
    const messages = (wanted: number) =>
      fields.flatMap(([field, value]) => (field === wanted ? [fieldsOf(value as Uint8Array)] : []));
    const names = messages(5).map((one) => strings[Number(one.find(([field]) => field === 2)?.[1])]);
    expect(names).toEqual(["encode", "serve", "(anonymous)"]);
    expect(messages(4)).toHaveLength(3);
    const [first] = messages(2);
    expect(first).toEqual([
      [1, Uint8Array.of(1, 2)],
      [2, Uint8Array.from([2, 0x80, 0xda, 0xc4, 0x09])],
    ]);
    expect(fields.at(-1)).toEqual([12, 10_000_000n]);
  });
});
