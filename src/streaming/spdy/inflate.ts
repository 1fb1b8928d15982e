const windowBytes = 32 * 1024;
/** More than this in one call is no header block. */
const largestOutput = 256 * 1024;

/** Lengths and distances of RFC 1951, section 3.2.5: base and extra bits by symbol. */
const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const distanceExtra = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const longestCode = 15;

/** A canonical Huffman code: how many codes there are of each length, and the symbols in order of their codes. */
interface HuffmanCode {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

function huffmanCode(lengths: readonly number[]): HuffmanCode {
  const counts: number[] = Array.from({ length: longestCode + 1 }, () => 0);
  for (const length of lengths) counts[length]! += 1;
  const symbols = lengths
    .map((length, symbol) => ({ length, symbol }))
    .filter(({ length }) => length > 0)
    .sort((one, other) => one.length - other.length || one.symbol - other.symbol)
    .map(({ symbol }) => symbol);
  return { counts, symbols };
}

const repeated = (value: number, count: number) => Array.from({ length: count }, () => value);
const fixedLiterals = huffmanCode([
  ...repeated(8, 144),
  ...repeated(9, 112),
  ...repeated(7, 24),
  ...repeated(8, 8),
]);
const fixedDistances = huffmanCode(repeated(5, 30));

/** Compressed bytes that make no sense. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

/**
 * Decompresses a zlib stream that was primed with a dictionary and is flushed at the end of each piece. Node's own
 * zlib would do it only asynchronously, and frames must be understood in order.
 */
export class Inflater {
  private output: Uint8Array;
  private size: number;
  private input: Uint8Array = new Uint8Array();
  private position = 0;
  private bits = 0;
  private bitCount = 0;
  private started = false;

  constructor(dictionary: Uint8Array) {
    this.output = new Uint8Array(windowBytes * 2);
    this.output.set(dictionary.subarray(-windowBytes));
    this.size = Math.min(dictionary.length, windowBytes);
  }

  /** Decompresses one flushed piece; throws `InflateError`. */
  inflate(input: Uint8Array): Uint8Array {
    this.forgetFarHistory();
    const from = this.size;
    this.input = input;
    this.position = 0;
    if (!this.started) this.readZlibHeader();
    while (this.position < input.length) {
      this.readBlock();
      if (this.size - from > largestOutput) throw new InflateError("too much in one piece");
    }
    return this.output.slice(from, this.size);
  }

  private forgetFarHistory(): void {
    if (this.size <= windowBytes) return;
    this.output.copyWithin(0, this.size - windowBytes, this.size);
    this.size = windowBytes;
  }

  private readZlibHeader(): void {
    const [method = 0, flags = 0] = this.input;
    if ((method & 15) !== 8 || (method * 256 + flags) % 31 !== 0) throw new InflateError("not a zlib stream");
    this.position = flags & 0x20 ? 6 : 2;
    this.started = true;
  }

  private take(count: number): number {
    while (this.bitCount < count) {
      const byte = this.input[this.position++];
      if (byte === undefined) throw new InflateError("ends too early");
      this.bits |= byte << this.bitCount;
      this.bitCount += 8;
    }
    const value = this.bits & ((1 << count) - 1);
    this.bits >>>= count;
    this.bitCount -= count;
    return value;
  }

  private readBlock(): void {
    // The bit that marks the last block is of no interest: a connection's stream has no last one.
    this.take(1);
    switch (this.take(2)) {
      case 0:
        return this.readStored();
      case 1:
        return this.readCodes(fixedLiterals, fixedDistances);
      case 2:
        return this.readDynamic();
      default:
        throw new InflateError("unknown kind of block");
    }
  }

  private readStored(): void {
    this.bits = 0;
    this.bitCount = 0;
    const length = this.take(16);
    if (this.take(16) !== (~length & 0xffff)) throw new InflateError("damaged length");
    if (this.position + length > this.input.length) throw new InflateError("ends too early");
    this.reserve(length);
    this.output.set(this.input.subarray(this.position, this.position + length), this.size);
    this.position += length;
    this.size += length;
  }

  private readDynamic(): void {
    const literals = this.take(5) + 257;
    const distances = this.take(5) + 1;
    const codes = this.take(4) + 4;
    const lengths = repeated(0, 19);
    for (let index = 0; index < codes; index++) lengths[codeLengthOrder[index]!] = this.take(3);
    const lengthCode = huffmanCode(lengths);
    const all: number[] = [];
    while (all.length < literals + distances) {
      const symbol = this.symbol(lengthCode);
      if (symbol < 16) all.push(symbol);
      else if (symbol === 16) all.push(...repeated(all.at(-1) ?? 0, 3 + this.take(2)));
      else all.push(...repeated(0, symbol === 17 ? 3 + this.take(3) : 11 + this.take(7)));
    }
    this.readCodes(
      huffmanCode(all.slice(0, literals)),
      huffmanCode(all.slice(literals, literals + distances)),
    );
  }

  private symbol({ counts, symbols }: HuffmanCode): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= longestCode; length++) {
      code |= this.take(1);
      const count = counts[length] ?? 0;
      if (code - count < first) return symbols[index + (code - first)] ?? 0;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new InflateError("unknown code");
  }

  private readCodes(literals: HuffmanCode, distances: HuffmanCode): void {
    for (;;) {
      const symbol = this.symbol(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        this.reserve(1);
        this.output[this.size++] = symbol;
        continue;
      }
      const length = this.spanOf(symbol - 257, lengthBase, lengthExtra);
      const distance = this.spanOf(this.symbol(distances), distanceBase, distanceExtra);
      if (distance > this.size) throw new InflateError("points before the start");
      this.reserve(length);
      for (let count = 0; count < length; count++, this.size++) {
        this.output[this.size] = this.output[this.size - distance]!;
      }
    }
  }

  private spanOf(symbol: number, base: readonly number[], extra: readonly number[]): number {
    const start = base[symbol];
    if (start === undefined) throw new InflateError("unknown span");
    return start + this.take(extra[symbol] ?? 0);
  }

  private reserve(count: number): void {
    if (this.size + count <= this.output.length) return;
    if (this.size + count > windowBytes + 2 * largestOutput) throw new InflateError("too much in one piece");
    const larger = new Uint8Array(Math.max(this.output.length * 2, this.size + count));
    larger.set(this.output.subarray(0, this.size));
    this.output = larger;
  }
}
