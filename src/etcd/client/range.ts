import { StoreError } from "../../store/index.ts";
import type { Page, Revision, Versioned } from "../../store/index.ts";
import type { EtcdOutput } from "../messages.ts";
import type { EtcdConnection } from "./connection.ts";
import { versionedOf } from "./convert.ts";
import type { KeyMap, WireRange } from "./keys.ts";

/** Keys of the first request of a list; by the size of its answer the next ones are made larger or smaller. */
const firstPage = 500;
const largestPage = 10_000;
/** About how large an answer should be. */
const answerBytes = 8 * 1024 * 1024;
/** How often a list starts again because compaction overtook it. */
const restarts = 3;

/** What a list is of. */
export interface RangeRead {
  readonly range: WireRange;
  readonly at: Revision | undefined;
  /** 0 for all. */
  readonly limit: number;
}

/** Reads a range in pages that all are of the revision of the first one. */
export async function readRange(
  connection: EtcdConnection,
  { keys, read }: { readonly keys: KeyMap; readonly read: RangeRead },
): Promise<Page> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readPages(connection, { keys, read });
    } catch (error) {
      const isOvertaken = error instanceof StoreError && error.type === "compacted" && read.at === undefined;
      if (!isOvertaken || attempt === restarts) throw error;
    }
  }
}

async function readPages(
  connection: EtcdConnection,
  { keys, read }: { readonly keys: KeyMap; readonly read: RangeRead },
): Promise<Page> {
  const { limit } = read;
  const items: Versioned[] = [];
  let { key } = read.range;
  let revision = read.at;
  for (let size = firstPage; ;) {
    const wanted = limit === 0 ? size : Math.min(size, limit - items.length);
    const { rangeEnd } = read.range;
    const page: EtcdOutput<"RangeResponse"> = await connection.call("Range", {
      key,
      rangeEnd,
      limit: wanted,
      revision: revision ?? 0,
    });
    revision ??= page.header?.revision ?? 0;
    for (const item of page.kvs) {
      const versioned = versionedOf(keys, item);
      if (versioned) items.push(versioned);
    }
    const last = page.kvs.at(-1);
    const remaining = page.count - page.kvs.length;
    if (!page.more || !last || (limit > 0 && items.length >= limit)) return { items, revision, remaining };
    key = `${last.key}\0`;
    size = nextSize(page.kvs);
  }
}

function nextSize(items: EtcdOutput<"RangeResponse">["kvs"]): number {
  const bytes = items.reduce((sum, item) => sum + item.value.length + item.key.length, 1);
  return Math.min(Math.max(Math.floor((items.length * answerBytes) / bytes), 1), largestPage);
}
