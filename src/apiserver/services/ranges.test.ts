import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { addressOf, addressRange, addressText, candidates, holds, networkAddress } from "./ranges.ts";

const none = { lower: 0n, upper: 0n };

test.each([
  ["10.96.0.0/24", "10.96.0.1", "10.96.0.254", "10.96.0.17"],
  ["10.96.0.0/12", "10.96.0.1", "10.111.255.254", "10.96.1.1"],
  ["10.0.0.16/28", "10.0.0.17", "10.0.0.30", "10.0.0.17"],
  ["10.0.0.0/27", "10.0.0.1", "10.0.0.30", "10.0.0.17"],
  ["fd00::/120", "fd00::1", "fd00::ff", "fd00::11"],
  ["fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff", "fd00::101"],
])("%s goes from %s to %s, chosen addresses up to %s", (cidr, first, last, upper) => {
  const range = addressRange(cidr);
  if (!range) throw new Error("no range");
  const text = (number: bigint) => addressText({ family: range.family, number });
  expect([range.first, range.last, range.upper].map(text)).toEqual([first, last, upper]);
});

test("a range is no longer than services can have", () => {
  expect(addressRange("fd00::/63")).toBeUndefined();
  expect(addressRange("10.0.0.0")).toBeUndefined();
});

test("addresses to try are all of the range, the upper part first, whatever chance says", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = seededRandom(seed);
    const prefix = 24 + Math.floor(random.next() * 7);
    const range = addressRange(seed % 2 === 0 ? `10.1.2.0/${prefix}` : `fd00::/${prefix + 96}`);
    if (!range) throw new Error("no range");
    const tried = [...candidates(range, { usage: none, random })];
    expect(tried.every((address) => holds(range, address))).toBe(true);
    expect(new Set(tried.map(({ number }) => number)).size).toBe(Number(range.last - range.first) + 1);
    const lower = tried.map(({ number }) => number < range.upper);
    expect(lower).toEqual([...lower].sort((one, other) => Number(one) - Number(other)));
    expect(tried.every((address) => addressOf(addressText(address))?.number === address.number)).toBe(true);
  }
});

test("a full part costs nothing", () => {
  const range = addressRange("10.96.0.0/12");
  if (!range) throw new Error("no range");
  const usage = { lower: range.upper - range.first, upper: range.last - range.upper + 1n };
  expect([...candidates(range, { usage, random: seededRandom(1) })]).toEqual([]);
  const [next] = candidates(range, { usage: { ...usage, lower: 0n }, random: seededRandom(1) });
  expect(next && next.number < range.upper).toBe(true);
});

test("the network's own address is nobody's", () => {
  const range = addressRange("10.96.0.0/16");
  if (!range) throw new Error("no range");
  expect(networkAddress(range)).toBe("10.96.0.0");
  for (const text of ["10.96.0.0", "10.96.255.255", "10.97.0.1", "::a60:1"]) {
    const address = addressOf(text);
    expect(address && holds(range, address)).toBe(false);
  }
});
