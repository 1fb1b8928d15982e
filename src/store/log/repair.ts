import type { Revision } from "../store.ts";
import { type Disk, nodeDisk, writeFully } from "./disk.ts";
import { readWhole } from "./read.ts";
import { repairMark } from "./repair-mark.ts";
import { type Damage, type FileReport, Salvage, storeFiles } from "./salvage.ts";
import { seedDisk } from "./seed.ts";

/** What a look at a store's files has found. */
export interface LogReport {
  readonly files: readonly FileReport[];
  /** Empty when the store opens. */
  readonly damage: readonly Damage[];
  /** Revisions of which nothing is left, from and to; what keys held then may be missing or older. */
  readonly lost: readonly (readonly [Revision, Revision])[];
  /** A last write that a crash cut short; it was never acknowledged, and opening cuts it off. */
  readonly torn: Damage | undefined;
  readonly objects: number;
  readonly revision: Revision;
  readonly compactedRevision: Revision;
}

/** What a repair did. */
export interface RepairReport extends LogReport {
  /** What the damaged files are called now; empty when there was nothing to repair. */
  readonly setAside: readonly string[];
  /** The revision that the repaired store begins with. */
  readonly begins: Revision;
}

/** The store's directory; `disk` stands in for the machine's file system in tests. */
export interface LogPlace {
  readonly directory: string;
  readonly disk?: Disk;
}

/** A repaired store goes on so far behind what it lost, so that no revision means two things to clients. */
const revisionGap = 1_000_000;

/** Reads all files of a store that is not in use, and says what is damaged; changes nothing. */
export async function checkLog(place: LogPlace): Promise<LogReport> {
  return withDisk(place, async (disk) => {
    const { files } = await filesOf(disk);
    return reportOf(await salvaged(disk, files));
  });
}

/**
 * Makes a damaged store open again with all that can be read of it, as of its newest revision and without history.
 * The damaged files stay in the directory under other names. An undamaged store is left as it is.
 */
export async function repairLog(place: LogPlace): Promise<RepairReport> {
  return withDisk(place, async (disk) => {
    const { files, plan } = await filesOf(disk);
    const salvage = await salvaged(disk, files);
    const report = reportOf(salvage);
    if (report.damage.length === 0 && !plan) return { ...report, setAside: [], begins: report.revision };
    const { prefix } =
      plan ??
      (await begin(
        disk,
        files.map(({ name }) => name),
      ));
    for (const { name, at } of files) if (at === name) await disk.rename(name, prefix + name);
    await disk.syncDirectory();
    const revision = salvage.revision + revisionGap;
    await seedDisk(disk, {
      revision,
      items: [...salvage.items.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1)),
      leases: [...salvage.leases].map(([id, granted]) => ({ id, granted })),
    });
    await disk.remove(repairMark);
    await disk.syncDirectory();
    return { ...report, setAside: files.map(({ name }) => prefix + name), begins: revision };
  });
}

/** Which files a repair works on, and how their names begin once they are set aside. */
interface RepairPlan {
  readonly names: readonly string[];
  readonly prefix: string;
}

/** The store's files; after an interrupted repair those that it began with, and nothing of what it made. */
async function filesOf(
  disk: Disk,
): Promise<{ files: ReturnType<typeof storeFiles>; plan: RepairPlan | undefined }> {
  const names = await disk.names();
  if (!names.includes(repairMark)) return { files: storeFiles(names), plan: undefined };
  const plan = JSON.parse((await readWhole(disk, repairMark)).toString()) as RepairPlan;
  const isAside = (name: string) => names.includes(plan.prefix + name);
  return { files: storeFiles(plan.names, (name) => (isAside(name) ? plan.prefix + name : name)), plan };
}

async function begin(disk: Disk, names: readonly string[]): Promise<RepairPlan> {
  const taken = await disk.names();
  let count = 1;
  while (taken.some((name) => name.startsWith(`damaged-${count}-`))) count++;
  const plan: RepairPlan = { names, prefix: `damaged-${count}-` };
  const draft = `${repairMark}.draft`;
  const file = await disk.open(draft, { create: true, durable: false });
  try {
    await writeFully(file, Buffer.from(JSON.stringify(plan)), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(draft, repairMark);
  await disk.syncDirectory();
  return plan;
}

async function salvaged(disk: Disk, files: ReturnType<typeof storeFiles>): Promise<Salvage> {
  const salvage = new Salvage();
  await salvage.read(disk, files);
  return salvage;
}

function reportOf(salvage: Salvage): LogReport {
  const { files, damage, lost, torn, items, revision, compactedRevision } = salvage;
  return { files, damage, lost, torn, objects: items.size, revision, compactedRevision };
}

async function withDisk<Result>(
  { directory, disk = nodeDisk(directory) }: LogPlace,
  action: (disk: Disk) => Promise<Result>,
): Promise<Result> {
  const unlock = await disk.lock();
  try {
    return await action(disk);
  } finally {
    await unlock();
  }
}
