import type { Disk } from "./disk.ts";

/** A file's content. */
export async function readWhole(disk: Disk, name: string): Promise<Buffer> {
  const file = await disk.open(name, { create: false, durable: false });
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}
