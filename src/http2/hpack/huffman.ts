import { invariant } from "../../base/index.ts";

/**
 * How many bits each byte takes, and the end of the string as the last (RFC 7541, appendix B): runs of symbols with
 * equal lengths, as symbols times length. The code is canonical, so the lengths say all of it.
 */
const runs =
  "1x13 1x23 7x28 1x24 1x30 2x28 1x30 8x28 1x30 9x28 1x6 2x10 1x12 1x13 1x6 1x8 1x11 2x10 1x8 1x11 1x8 3x6 3x5 7x6 " +
  "1x7 1x8 1x15 1x6 1x12 1x10 1x13 1x6 22x7 1x8 1x7 1x8 1x13 1x19 1x13 1x14 1x6 1x15 1x5 1x6 1x5 1x6 1x5 3x6 1x5 2x7 " +
  "3x6 1x5 1x6 1x7 1x6 2x5 1x6 5x7 1x15 1x11 1x14 1x13 1x28 1x20 1x22 2x20 3x22 1x23 1x22 5x23 1x24 1x23 2x24 1x22 " +
  "1x23 1x24 4x23 1x21 1x22 1x23 1x22 2x23 1x24 1x22 1x21 1x20 2x22 2x23 1x21 1x23 2x22 1x24 1x21 1x22 2x23 2x21 1x22 " +
  "1x21 1x23 1x22 2x23 1x20 3x22 1x23 2x22 1x23 2x26 1x20 1x19 1x22 1x23 1x22 1x25 3x26 2x27 1x26 1x24 1x25 1x19 1x21 " +
  "1x26 2x27 1x26 1x27 1x24 2x21 2x26 1x28 3x27 1x20 1x24 1x20 1x21 1x22 2x21 1x23 2x22 2x25 2x24 1x26 1x23 1x26 1x27 " +
  "2x26 5x27 1x28 5x27 1x26 1x30";

const endOfString = 256;
const longestCode = 30;

const lengths = runs.split(" ").flatMap((run) => {
  const [count = 0, bits = 0] = run.split("x").map(Number);
  return Array.from({ length: count }, () => bits);
});
invariant(lengths.length === endOfString + 1, "a length for each symbol");

/**
 * A machine that reads half a byte a step. An entry of its table is the next state, and above that what is put out, if
 * anything; states are the inner nodes of the code's tree, and no code is shorter than half a byte.
 */
interface Machine {
  readonly steps: Int32Array;
  /** States in which a string may end: at most seven bits of padding, all ones. */
  readonly mayEnd: Uint8Array;
}

const stepBits = 4;
const choices = 1 << stepBits;
const failed = -1;
const putsOut = 1 << 16;
const symbolShift = 8;
const stateMask = 0xff;
const byteMask = 0xff;

/** Pairs of children: a state, or less than zero the symbol. */
function treeOf(): (readonly [number, number])[] {
  const nodes: [number, number][] = [[0, 0]];
  let code = 0;
  for (let bits = 1; bits <= longestCode; bits += 1) {
    code *= 2;
    for (const [symbol, length] of lengths.entries()) {
      if (length !== bits) continue;
      let state = 0;
      for (let bit = bits - 1; bit > 0; bit -= 1) {
        const side = ((code >>> bit) & 1) as 0 | 1;
        if (nodes[state]![side] === 0) nodes[state]![side] = nodes.push([0, 0]) - 1;
        state = nodes[state]![side];
      }
      nodes[state]![(code & 1) as 0 | 1] = -1 - symbol;
      code += 1;
    }
  }
  return nodes;
}

function machineOf(): Machine {
  const nodes = treeOf();
  const steps = new Int32Array(nodes.length * choices);
  const mayEnd = new Uint8Array(nodes.length);
  for (let state = 0; state < nodes.length; state += 1) {
    for (let choice = 0; choice < choices; choice += 1) {
      let next = state;
      let out = 0;
      for (let bit = stepBits - 1; bit >= 0 && next !== failed; bit -= 1) {
        next = nodes[next]![((choice >>> bit) & 1) as 0 | 1];
        if (next >= 0) continue;
        const symbol = -1 - next;
        next = symbol === endOfString ? failed : 0;
        out = putsOut | (symbol << symbolShift);
      }
      steps[state * choices + choice] = next === failed ? failed : out | next;
    }
  }
  mayEnd[0] = 1;
  for (let bits = 1, state = 0; bits < 8; bits += 1) {
    state = nodes[state]![1];
    mayEnd[state] = 1;
  }
  return { steps, mayEnd };
}

let machine: Machine | undefined;

/** Writes the bytes that a string stands for to `out` and answers how many; undefined: it is none, or does not fit. */
export function huffmanDecode(
  source: Uint8Array,
  range: { readonly start: number; readonly end: number },
  out: Uint8Array,
): number | undefined {
  const { steps, mayEnd } = (machine ??= machineOf());
  let state = 0;
  let size = 0;
  for (let index = range.start; index < range.end; index += 1) {
    const byte = source[index]!;
    const high = steps[state * choices + (byte >>> stepBits)]!;
    if (high === failed) return undefined;
    if (high & putsOut) out[size++] = (high >>> symbolShift) & byteMask;
    const low = steps[(high & stateMask) * choices + (byte & (choices - 1))]!;
    if (low === failed) return undefined;
    if (low & putsOut) out[size++] = (low >>> symbolShift) & byteMask;
    state = low & stateMask;
  }
  return mayEnd[state] === 1 && size <= out.length ? size : undefined;
}
