import { close, constants, fdatasync, open, writev } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);

/**
 * What the disk gives to writers who share a sync: each waits for its value to be on disk before it writes the
 * next; values that wait together are written and synchronized together. Answers values a second.
 */
export async function plainAppends(
  path: string,
  options: { readonly writers: number; readonly valueBytes: number; readonly milliseconds: number },
): Promise<number> {
  const { writers, valueBytes, milliseconds } = options;
  const file = await openFile(path, constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND, 0o600);
  const value = new Uint8Array(valueBytes).fill(1);
  const start = performance.now();
  const end = start + milliseconds;
  let count = 0;
  while (performance.now() < end) {
    const values = Array.from({ length: writers }, () => value);
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null) => (error ? reject(error) : resolve());
      writev(file, values, (error) => (error ? settle(error) : fdatasync(file, settle)));
    });
    count += writers;
  }
  const perSecond = (count / (performance.now() - start)) * 1_000;
  await closeFile(file);
  return perSecond;
}
