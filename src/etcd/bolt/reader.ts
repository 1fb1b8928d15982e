import {
  type BoltEntry,
  boltMagic,
  boltVersion,
  bucketFlag,
  bucketHeaderSize,
  compareBytes,
  elementSize,
  fnv64a,
  metaChecksumOffset,
  metaSize,
  type PageId,
  pageFlag,
  pageHeaderSize,
  viewOf,
} from "./format.ts";

/** A file that can be read at any place. */
export interface RandomAccess {
  readonly size: number;
  /** Exactly so many bytes from the offset; the range lies within the size. */
  read(offset: number, length: number): Uint8Array;
}

/** The file is damaged, or none of this format; the message says where and how. */
export class BoltError extends Error {
  override readonly name = "BoltError";
}

/** A file that was opened. */
export interface BoltFile {
  /** Bytes in pages, as its metadata has it. */
  readonly size: number;
  readonly bucketNames: readonly string[];
  /** Entries of a bucket in order of their keys; a bucket that is not there has none. */
  entries(bucket: string): Iterable<BoltEntry>;
}

/** Page sizes at which a second meta page is looked for when the first is damaged. */
const pageSizes = [4096, 8192, 16384, 32768, 65536, 1024, 2048, 512];
/** Levels of pages below a bucket's root; a file of 2^63 bytes needs fewer. */
const deepest = 64;
/** Bytes of one page with its overflow; etcd's largest request is far below it. */
const largestPage = 1 << 30;

interface Meta {
  readonly pageSize: number;
  readonly root: PageId;
  readonly pages: number;
  readonly transaction: bigint;
}

interface BucketHeader {
  readonly root: PageId;
  /** The bucket's only page, for small ones that lie within their parent's value. */
  readonly inline: Uint8Array | undefined;
}

/** Opens a file; throws `BoltError` with the reason where it is damaged, at once or when the damage is come upon. */
export function openBolt(file: RandomAccess): BoltFile {
  const meta = readMeta(file);
  const size = meta.pages * meta.pageSize;
  if (size > file.size) {
    throw new BoltError(`the file is cut short: it has ${file.size} bytes of ${size}`);
  }
  const pages = new PageReader(file, meta);
  const buckets = new Map<string, BucketHeader>();
  for (const { entry, flags } of pages.elements({ root: meta.root, inline: undefined })) {
    const name = new TextDecoder().decode(entry.key);
    if ((flags & bucketFlag) === 0) throw new BoltError(`${JSON.stringify(name)} at the root is no bucket`);
    buckets.set(name, bucketHeader(name, entry.value));
  }
  return {
    size,
    bucketNames: [...buckets.keys()],
    *entries(name) {
      const bucket = buckets.get(name);
      if (!bucket) return;
      for (const { entry, flags } of pages.elements(bucket)) {
        if ((flags & bucketFlag) !== 0) throw new BoltError(`bucket ${name} holds a bucket`);
        yield entry;
      }
    },
  };
}

function bucketHeader(name: string, value: Uint8Array): BucketHeader {
  if (value.length < bucketHeaderSize) throw new BoltError(`the header of bucket ${name} is cut short`);
  const root = Number(viewOf(value).getBigUint64(0, true));
  return { root, inline: root === 0 ? value.subarray(bucketHeaderSize) : undefined };
}

/** The newer of the valid meta pages. */
function readMeta(file: RandomAccess): Meta {
  const first = metaAt(file, 0);
  const seconds = (typeof first === "string" ? pageSizes : [first.pageSize]).map((size) =>
    metaAt(file, size),
  );
  const valid = [first, ...seconds].filter((meta) => typeof meta !== "string");
  const [newest] = valid.toSorted((one, other) => Number(other.transaction - one.transaction));
  if (newest) return newest;
  throw new BoltError(`no valid meta page: ${typeof first === "string" ? first : "none"}`);
}

/** The meta page at the offset, or why there is none. */
function metaAt(file: RandomAccess, offset: number): Meta | string {
  if (offset + pageHeaderSize + metaSize > file.size) return "the file is too short";
  const bytes = file.read(offset + pageHeaderSize, metaSize);
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== boltMagic) return "this is no bbolt file";
  const version = view.getUint32(4, true);
  if (version !== boltVersion) return `version ${version} of the format is not known`;
  if (view.getBigUint64(metaChecksumOffset, true) !== fnv64a(bytes.subarray(0, metaChecksumOffset))) {
    return "its checksum is wrong";
  }
  const size = view.getUint32(8, true);
  if (!pageSizes.includes(size)) return `pages of ${size} bytes are not known`;
  return {
    pageSize: size,
    root: Number(view.getBigUint64(16, true)),
    pages: Number(view.getBigUint64(40, true)),
    transaction: view.getBigUint64(48, true),
  };
}

interface Page {
  readonly name: string;
  readonly flags: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

interface Element {
  readonly entry: BoltEntry;
  readonly flags: number;
}

class PageReader {
  private readonly file: RandomAccess;
  private readonly meta: Meta;

  constructor(file: RandomAccess, meta: Meta) {
    this.file = file;
    this.meta = meta;
  }

  /** Elements of the leaves below a bucket's root, in order. */
  *elements(bucket: BucketHeader): Iterable<Element> {
    let before: Uint8Array | undefined;
    const leaves = bucket.inline ? [inlinePage(bucket.inline)] : this.leaves(bucket.root, 0);
    for (const page of leaves) {
      if (page.flags !== pageFlag.leaf) throw unexpected(page, "a leaf");
      for (let index = 0; index < page.count; index++) {
        const element = leafElement(page, index);
        const { key } = element.entry;
        // Keys that rise through the whole bucket also show that no page is reached twice.
        if (before && compareBytes(before, key) >= 0) {
          throw new BoltError(`${page.name}: key ${index} is not after the one before it`);
        }
        before = key;
        yield element;
      }
    }
  }

  private *leaves(id: PageId, depth: number): Iterable<Page> {
    if (depth > deepest) throw new BoltError(`pages are nested more than ${deepest} deep`);
    const page = this.read(id);
    if (page.flags === pageFlag.leaf) {
      if (page.count === 0 && depth > 0) throw new BoltError(`${page.name} is an empty leaf`);
      yield page;
    } else if (page.flags !== pageFlag.branch) throw unexpected(page, "a branch or a leaf");
    else if (page.count === 0) throw new BoltError(`${page.name} is a branch without children`);
    else for (let index = 0; index < page.count; index++) yield* this.leaves(childOf(page, index), depth + 1);
  }

  private read(id: PageId): Page {
    const { pageSize, pages } = this.meta;
    if (id >= pages) throw new BoltError(`page ${id} lies behind the last of ${pages} pages`);
    const first = this.file.read(id * pageSize, pageSize);
    const view = viewOf(first);
    const name = `page ${id}`;
    const found = view.getBigUint64(0, true);
    if (found !== BigInt(id)) throw new BoltError(`${name} says that it is page ${found}`);
    const span = view.getUint32(12, true) + 1;
    if (id + span > pages) throw new BoltError(`${name} reaches behind the last of ${pages} pages`);
    if (span * pageSize > largestPage) throw new BoltError(`${name} spans ${span} pages`);
    const bytes = span === 1 ? first : this.file.read(id * pageSize, span * pageSize);
    return { name, flags: view.getUint16(8, true), count: view.getUint16(10, true), bytes };
  }
}

function inlinePage(bytes: Uint8Array): Page {
  if (bytes.length < pageHeaderSize) throw new BoltError("a bucket within its parent is cut short");
  const view = viewOf(bytes);
  const name = "the page of a bucket within its parent";
  return { name, flags: view.getUint16(8, true), count: view.getUint16(10, true), bytes };
}

function elementAt(page: Page, index: number): { readonly view: DataView; readonly at: number } {
  const at = pageHeaderSize + index * elementSize;
  if (at + elementSize > page.bytes.length) throw tooLong(page, index);
  return { view: viewOf(page.bytes), at };
}

function leafElement(page: Page, index: number): Element {
  const { view, at } = elementAt(page, index);
  const start = at + view.getUint32(at + 4, true);
  const middle = start + view.getUint32(at + 8, true);
  const end = middle + view.getUint32(at + 12, true);
  if (end > page.bytes.length) throw tooLong(page, index);
  const entry = { key: page.bytes.subarray(start, middle), value: page.bytes.subarray(middle, end) };
  return { entry, flags: view.getUint32(at, true) };
}

function childOf(page: Page, index: number): PageId {
  const { view, at } = elementAt(page, index);
  const end = at + view.getUint32(at, true) + view.getUint32(at + 4, true);
  if (end > page.bytes.length) throw tooLong(page, index);
  return Number(view.getBigUint64(at + 8, true));
}

const tooLong = (page: Page, index: number) =>
  new BoltError(`${page.name}: element ${index} reaches beyond the page`);

const unexpected = (page: Page, expected: string) =>
  new BoltError(`${page.name} has flags 0x${page.flags.toString(16)} where ${expected} was expected`);
