import { Buffer } from "node:buffer";
import { ConnectionError, errorCode } from "../errors.ts";
import { huffmanDecode } from "./huffman.ts";
import { defaultTableBytes, entryOverhead, staticTable } from "./static-table.ts";

/** Names and values that take turns, as they came. */
export type RawHeaders = string[];

/** Values that a client sends with each request but keeps out of the table, such as tokens, are remembered from here on. */
const rememberedFrom = 24;
const rememberedTo = 8_192;
const rememberedNames = 16;

/** No byte takes fewer bits than five. */
const mostBytesOf = (encoded: number) => Math.ceil((encoded * 8) / 5);

const integerShiftLimit = 28;

/** The patterns that a header begins with (RFC 7541, section 6), and how many bits of its first byte they leave. */
const pattern = { indexed: 0x80, added: 0x40, tableSize: 0x20 } as const;
const bits = { indexed: 7, added: 6, tableSize: 5, literal: 4 } as const;
const huffmanFlag = 0x80;
const stringBits = 7;

const nothing = Buffer.alloc(0);

interface Remembered {
  readonly bytes: Uint8Array;
  readonly isHuffman: boolean;
  readonly value: string;
}

/** Reads header blocks of one connection (RFC 7541); each block must be read, in order, for they depend on each other. */
export class HeaderDecoder {
  /** The newest entry last, names and values taking turns; what has left the table is still there until it is tidied. */
  private entries: string[] = [];
  private first = 0;
  private tableBytes = 0;
  private limit = defaultTableBytes;
  private readonly remembered = new Map<string, Remembered>();
  private readonly listBytes: number;
  private source: Buffer = nothing;
  private at = 0;
  private scratch = Buffer.allocUnsafe(1_024);

  /** Of lists that are larger than so many bytes no more is kept. */
  constructor(options: { readonly listBytes: number }) {
    this.listBytes = options.listBytes;
  }

  /** The headers of a block; undefined: they are more than a list may hold. */
  decode(block: Buffer): RawHeaders | undefined {
    this.source = block;
    this.at = 0;
    const raw: RawHeaders = [];
    let size = 0;
    let isStart = true;
    while (this.at < block.length) {
      const first = block[this.at]!;
      if ((first & 0xe0) === pattern.tableSize) {
        if (!isStart) throw new ConnectionError(errorCode.compressionError, "table size within a block");
        this.resize(this.integer(bits.tableSize));
        continue;
      }
      isStart = false;
      const isIndexed = (first & pattern.indexed) !== 0;
      const [name, value] = isIndexed ? this.entry(this.integer(bits.indexed)) : this.literal(first);
      size += name.length + value.length + entryOverhead;
      if (size <= this.listBytes) raw.push(name, value);
    }
    this.source = nothing;
    return size <= this.listBytes ? raw : undefined;
  }

  private literal(first: number): readonly [string, string] {
    const isAdded = (first & pattern.added) !== 0;
    const index = this.integer(isAdded ? bits.added : bits.literal);
    const name = index === 0 ? this.string() : this.entry(index)[0];
    const value = isAdded ? this.string() : this.repeated(name);
    if (isAdded) this.add(name, value);
    return [name, value];
  }

  private entry(index: number): readonly [string, string] {
    const known = staticTable[index - 1];
    if (known) return known;
    const place = this.entries.length - 2 * (index - staticTable.length);
    if (index === 0 || place < this.first)
      throw new ConnectionError(errorCode.compressionError, "no such header in the table");
    return [this.entries[place]!, this.entries[place + 1]!];
  }

  private add(name: string, value: string): void {
    const size = name.length + value.length + entryOverhead;
    this.tableBytes += size;
    this.entries.push(name, value);
    this.evict();
  }

  private resize(limit: number): void {
    if (limit > defaultTableBytes)
      throw new ConnectionError(errorCode.compressionError, "a table larger than was allowed");
    this.limit = limit;
    this.evict();
  }

  private evict(): void {
    while (this.tableBytes > this.limit) {
      this.tableBytes -=
        this.entries[this.first]!.length + this.entries[this.first + 1]!.length + entryOverhead;
      this.first += 2;
    }
    // Half of it is gone: moving the rest costs no more than what was added since.
    if (this.first * 2 <= this.entries.length) return;
    this.entries = this.entries.slice(this.first);
    this.first = 0;
  }

  /** An integer that begins in the lower bits of the next byte. */
  private integer(prefix: number): number {
    const { source } = this;
    const most = (1 << prefix) - 1;
    let value = source[this.at++]! & most;
    if (value < most) return value;
    for (let shift = 0; shift <= integerShiftLimit; shift += 7) {
      const byte = source[this.at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ConnectionError(errorCode.compressionError, "an integer without end");
  }

  private string(): string {
    const { start, end, isHuffman } = this.range();
    return this.text(start, end, isHuffman);
  }

  /** A value that stays out of the table; one that is as the last of its name need not be read again. */
  private repeated(name: string): string {
    const { start, end, isHuffman } = this.range();
    const length = end - start;
    if (length < rememberedFrom || length > rememberedTo) return this.text(start, end, isHuffman);
    const known = this.remembered.get(name);
    if (known?.isHuffman === isHuffman) {
      const order = this.source.compare(known.bytes, 0, known.bytes.length, start, end);
      if (order === 0) return known.value;
    }
    const value = this.text(start, end, isHuffman);
    if (known || this.remembered.size < rememberedNames) {
      const bytes = Uint8Array.prototype.slice.call(this.source, start, end);
      this.remembered.set(name, { bytes, isHuffman, value });
    }
    return value;
  }

  private range(): { start: number; end: number; isHuffman: boolean } {
    const isHuffman = ((this.source[this.at] ?? 0) & huffmanFlag) !== 0;
    if (this.at >= this.source.length)
      throw new ConnectionError(errorCode.compressionError, "a string is missing");
    const length = this.integer(stringBits);
    const start = this.at;
    const end = start + length;
    if (end > this.source.length)
      throw new ConnectionError(errorCode.compressionError, "a string is cut off");
    this.at = end;
    return { start, end, isHuffman };
  }

  private text(start: number, end: number, isHuffman: boolean): string {
    if (!isHuffman) return this.source.toString("latin1", start, end);
    const most = mostBytesOf(end - start);
    if (this.scratch.length < most) this.scratch = Buffer.allocUnsafe(most);
    const size = huffmanDecode(this.source, { start, end }, this.scratch);
    if (size === undefined) throw new ConnectionError(errorCode.compressionError, "no Huffman code");
    return this.scratch.toString("latin1", 0, size);
  }
}
