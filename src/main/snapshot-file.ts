import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import type { RandomAccess } from "../etcd/bolt/index.ts";

/** Reads a file at any place, as long as `use` lasts. */
export async function withFile<T>(path: string, use: (file: RandomAccess) => T | Promise<T>): Promise<T> {
  const file = openSync(path, "r");
  try {
    return await use({
      size: fstatSync(file).size,
      read(offset, length) {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length;) {
          const count = readSync(file, bytes, done, length - done, offset + done);
          if (count === 0) throw new RangeError(`${path} became shorter while it was read`);
          done += count;
        }
        return bytes;
      },
    });
  } finally {
    closeSync(file);
  }
}

/** Writes a file that has its name only when it is whole and on disk; answers its size. */
export async function writeWhole(path: string, blocks: AsyncIterable<Uint8Array>): Promise<number> {
  const part = `${path}.part`;
  let size = 0;
  try {
    const file = await open(part, "w", 0o600);
    try {
      for await (const block of blocks) {
        await file.writeFile(block);
        size += block.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return size;
}
