import { setImmediate as nextTurn } from "node:timers/promises";
import { invariant } from "../../base/index.ts";
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
  type PageId,
  pageFlag,
  pageHeaderSize,
  pageSize,
  viewOf,
} from "./format.ts";

/** A bucket to write. */
export interface BucketSource {
  readonly name: string;
  /** Its entries in order of their keys; called twice, and must answer the same. */
  entries(): Iterable<BoltEntry>;
}

/** A file that is laid out: what it will hold is fixed, its bytes are made as they are taken. */
export interface BoltPlan {
  readonly size: number;
  /** The file from its start to its end, in blocks. */
  blocks(): AsyncIterable<Uint8Array>;
}

const metaPages = 2;
const freelistPage: PageId = metaPages;
const firstDataPage: PageId = freelistPage + 1;
/** Bytes gathered to one block. */
const blockSize = 64 * 1024;
/** Entries laid out before others get their turn. */
const entriesATurn = 1000;
/** A branch with a single child is none: bbolt joins it with another. */
const fewestChildren = 2;

/** A page that is laid out. */
interface PagePlan {
  readonly firstKey: Uint8Array;
  readonly id: PageId;
  /** Its elements. */
  readonly count: number;
  /** Pages that it spans. */
  readonly span: number;
}

interface BucketPlan {
  readonly source: BucketSource;
  readonly leaves: readonly PagePlan[];
  /** Branches, from those above the leaves to the root. */
  readonly levels: readonly (readonly PagePlan[])[];
  readonly root: PageId;
}

/** Lays out a file of the buckets, whose names must be in order; it holds no value, but a key for each page. */
export async function planBolt(buckets: readonly BucketSource[]): Promise<BoltPlan> {
  let next = firstDataPage;
  const plans: BucketPlan[] = [];
  for (const source of buckets) {
    const plan = await planBucket(source, next);
    plans.push(plan);
    next = plan.root + spanOf(plan);
  }
  const rootEntries = plans.map(({ source, root }) => ({
    key: new TextEncoder().encode(source.name),
    value: bucketValue(root),
  }));
  const rootSpan = pagesOf(rootEntries.reduce((sum, entry) => sum + sizeOf(entry), pageHeaderSize));
  const pages = next + rootSpan;
  return {
    size: pages * pageSize,
    blocks: () => inBlocks(pagesInOrder(plans, { root: next, rootEntries, pages })),
  };
}

function spanOf({ leaves, levels }: BucketPlan): number {
  return (levels.at(-1) ?? leaves).at(-1)!.span;
}

async function planBucket(source: BucketSource, firstPage: PageId): Promise<BucketPlan> {
  const leaves: PagePlan[] = [];
  let id = firstPage;
  const close = (page: { firstKey: Uint8Array; count: number; bytes: number }) => {
    const span = pagesOf(page.bytes);
    leaves.push({ firstKey: page.firstKey, id, count: page.count, span });
    id += span;
  };
  let open: { firstKey: Uint8Array; count: number; bytes: number } | undefined;
  let seen = 0;
  for (const entry of source.entries()) {
    if (++seen % entriesATurn === 0) await nextTurn();
    const bytes = sizeOf(entry);
    if (open !== undefined && open.bytes + bytes <= pageSize) {
      open.count++;
      open.bytes += bytes;
      continue;
    }
    if (open) close(open);
    open = { firstKey: entry.key, count: 1, bytes: pageHeaderSize + bytes };
  }
  close(open ?? { firstKey: new Uint8Array(0), count: 0, bytes: pageHeaderSize });
  const levels = planBranches(leaves, id);
  return { source, leaves, levels, root: (levels.at(-1) ?? leaves)[0]!.id };
}

/** Levels of branches above the leaves until one page is left. */
function planBranches(leaves: readonly PagePlan[], firstPage: PageId): PagePlan[][] {
  const levels: PagePlan[][] = [];
  let id = firstPage;
  for (let below = leaves; below.length > 1; below = levels.at(-1)!) {
    const level = groupChildren(below).map((children) => {
      const span = pagesOf(children.reduce((sum, child) => sum + branchSizeOf(child), pageHeaderSize));
      const page = { firstKey: children[0]!.firstKey, id, count: children.length, span };
      id += span;
      return page;
    });
    levels.push(level);
  }
  return levels;
}

function groupChildren(pages: readonly PagePlan[]): PagePlan[][] {
  const groups: PagePlan[][] = [];
  let bytes = Infinity;
  for (const page of pages) {
    const open = groups.at(-1);
    if (open && (bytes + branchSizeOf(page) <= pageSize || open.length < fewestChildren)) open.push(page);
    else {
      groups.push([page]);
      bytes = pageHeaderSize;
    }
    bytes += branchSizeOf(page);
  }
  const last = groups.at(-1)!;
  const before = groups.at(-2);
  if (before && last.length < fewestChildren) {
    if (before.length > fewestChildren) last.unshift(before.pop()!);
    else before.push(...groups.pop()!);
  }
  return groups;
}

const sizeOf = ({ key, value }: BoltEntry) => elementSize + key.length + value.length;
const branchSizeOf = ({ firstKey }: PagePlan) => elementSize + firstKey.length;
const pagesOf = (bytes: number) => Math.max(Math.ceil(bytes / pageSize), 1);

function bucketValue(root: PageId): Uint8Array {
  const value = new Uint8Array(bucketHeaderSize);
  viewOf(value).setBigUint64(0, BigInt(root), true);
  return value;
}

function* pagesInOrder(
  plans: readonly BucketPlan[],
  file: { readonly root: PageId; readonly rootEntries: readonly BoltEntry[]; readonly pages: number },
): Iterable<Uint8Array> {
  for (let id = 0; id < metaPages; id++) yield metaPage(id, file);
  yield pageOf({ id: freelistPage, flags: pageFlag.freelist, count: 0 }, pageHeaderSize);
  for (const { source, leaves, levels } of plans) {
    yield* leafPages(source, leaves);
    let below = leaves;
    for (const level of levels) {
      let child = 0;
      for (const page of level) {
        yield branchPage(page, below.slice(child, child + page.count));
        child += page.count;
      }
      below = level;
    }
  }
  yield leafPage({ id: file.root, flags: bucketFlag }, file.rootEntries);
}

function* leafPages(source: BucketSource, leaves: readonly PagePlan[]): Iterable<Uint8Array> {
  const entries = source.entries()[Symbol.iterator]();
  let before: Uint8Array | undefined;
  for (const leaf of leaves) {
    const held: BoltEntry[] = [];
    while (held.length < leaf.count) {
      const { value: entry, done } = entries.next();
      invariant(!done, `bucket ${source.name} lost entries while it was written`);
      invariant(
        !before || compareBytes(before, entry.key) < 0,
        `keys of bucket ${source.name} are not in order`,
      );
      before = entry.key;
      held.push(entry);
    }
    const page = leafPage({ id: leaf.id, flags: 0 }, held);
    invariant(
      page.length === leaf.span * pageSize,
      `entries of bucket ${source.name} changed while it was written`,
    );
    yield page;
  }
}

/** An empty page of as many pages as the bytes need. */
function pageOf(header: { id: PageId; flags: number; count: number }, bytes: number): Uint8Array {
  const span = pagesOf(bytes);
  const page = new Uint8Array(span * pageSize);
  const view = viewOf(page);
  view.setBigUint64(0, BigInt(header.id), true);
  view.setUint16(8, header.flags, true);
  view.setUint16(10, header.count, true);
  view.setUint32(12, span - 1, true);
  return page;
}

function metaPage(id: PageId, file: { readonly root: PageId; readonly pages: number }): Uint8Array {
  const page = pageOf({ id, flags: pageFlag.meta, count: 0 }, pageHeaderSize);
  const meta = page.subarray(pageHeaderSize);
  const view = viewOf(meta);
  view.setUint32(0, boltMagic, true);
  view.setUint32(4, boltVersion, true);
  view.setUint32(8, pageSize, true);
  view.setBigUint64(16, BigInt(file.root), true);
  view.setBigUint64(32, BigInt(freelistPage), true);
  view.setBigUint64(40, BigInt(file.pages), true);
  view.setBigUint64(48, BigInt(id), true);
  view.setBigUint64(metaChecksumOffset, fnv64a(meta.subarray(0, metaChecksumOffset)), true);
  return page;
}

function leafPage(
  { id, flags }: { readonly id: PageId; readonly flags: number },
  entries: readonly BoltEntry[],
): Uint8Array {
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), pageHeaderSize);
  const page = pageOf({ id, flags: pageFlag.leaf, count: entries.length }, bytes);
  const view = viewOf(page);
  let element = pageHeaderSize;
  let data = pageHeaderSize + entries.length * elementSize;
  for (const { key, value } of entries) {
    view.setUint32(element, flags, true);
    view.setUint32(element + 4, data - element, true);
    view.setUint32(element + 8, key.length, true);
    view.setUint32(element + 12, value.length, true);
    page.set(key, data);
    page.set(value, data + key.length);
    data += key.length + value.length;
    element += elementSize;
  }
  return page;
}

function branchPage({ id, span }: PagePlan, children: readonly PagePlan[]): Uint8Array {
  const page = pageOf({ id, flags: pageFlag.branch, count: children.length }, span * pageSize);
  const view = viewOf(page);
  let element = pageHeaderSize;
  let data = pageHeaderSize + children.length * elementSize;
  for (const child of children) {
    view.setUint32(element, data - element, true);
    view.setUint32(element + 4, child.firstKey.length, true);
    view.setBigUint64(element + 8, BigInt(child.id), true);
    page.set(child.firstKey, data);
    data += child.firstKey.length;
    element += elementSize;
  }
  return page;
}

/** Pages gathered to blocks; between two blocks others get their turn. */
async function* inBlocks(pages: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for (const page of pages) {
    held.push(page);
    bytes += page.length;
    if (bytes < blockSize) continue;
    yield joined(held, bytes);
    held = [];
    bytes = 0;
    await nextTurn();
  }
  if (bytes > 0) yield joined(held, bytes);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
