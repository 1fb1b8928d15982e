import { type Milliseconds, silentLogger, systemClock } from "../../base/index.ts";
import { Keyspace } from "../keyspace.ts";
import { LeaseTable } from "../lease-table.ts";
import { type LeaseId, type Revision, StoreError, type Versioned } from "../store.ts";
import { type Disk, nodeDisk } from "./disk.ts";
import { SegmentedLog } from "./segmented-log.ts";
import { writeSnapshot } from "./snapshot.ts";

/** What a store starts with: keys at a revision, whose history before it counts as compacted. */
export interface Seed {
  readonly revision: Revision;
  readonly items: Iterable<Versioned>;
  readonly leases: readonly { readonly id: LeaseId; readonly granted: Milliseconds }[];
}

const segmentBytes = 64 * 1024;

/** Makes the files of a store that holds the seed, in a directory that has none. */
export async function seedLogStore(directory: string, seed: Seed): Promise<void> {
  const disk = nodeDisk(directory);
  const unlock = await disk.lock();
  try {
    const names = await disk.names();
    if (names.some((name) => /^(?:snapshot|log)-/.test(name))) {
      const way = "take another directory, or move its files away";
      throw new StoreError("conflict", `${directory} holds a store already: ${way}`);
    }
    await seedDisk(disk, seed);
  } finally {
    await unlock();
  }
}

/** Makes the files of a store that holds the seed, on a disk that is locked and has no store. */
export async function seedDisk(disk: Disk, seed: Seed): Promise<void> {
  const { revision } = seed;
  const keyspace = new Keyspace();
  keyspace.restore({ revision, items: seed.items });
  const leases = new LeaseTable({ clock: systemClock, onExpire() {} });
  for (const { id, granted } of seed.leases) leases.add(id, granted);
  // A log without a snapshot is an empty store; a snapshot without a log would be damage.
  const log = await SegmentedLog.open(
    { disk, logger: silentLogger, segmentBytes },
    { segments: [], sequence: 0 },
  );
  await log.close();
  await writeSnapshot({ keyspace, leases, revision }, { disk, signal: new AbortController().signal });
}
