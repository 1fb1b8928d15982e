import { close, constants, fdatasync, open, writev } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);

/** A file that values are appended to; those that wait together share a write and a sync, and nothing more is done. */
class PlainFile {
  private readonly file: number;
  private waiting: { readonly value: Uint8Array; readonly settle: (error: Error | null) => void }[] = [];
  private isWriting = false;

  constructor(file: number) {
    this.file = file;
  }

  /** Settles when the value is on disk. */
  append(value: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ value, settle: (error) => (error ? reject(error) : resolve()) });
      if (this.isWriting) return;
      this.isWriting = true;
      // Whoever appends in the same turn shares the first write too.
      queueMicrotask(() => this.write());
    });
  }

  private write(): void {
    const batch = this.waiting;
    this.waiting = [];
    const settle = (error: Error | null) => {
      for (const one of batch) one.settle(error);
      this.isWriting = false;
      if (this.waiting.length === 0) return;
      this.isWriting = true;
      this.write();
    };
    const values = batch.map(({ value }) => value);
    writev(this.file, values, (error) => (error ? settle(error) : fdatasync(this.file, settle)));
  }
}

/** What the disk gives to writers who wait for each of their values and share syncs: values a second. */
export async function plainAppends(
  path: string,
  options: { readonly writers: number; readonly valueBytes: number; readonly milliseconds: number },
): Promise<number> {
  const { writers, valueBytes, milliseconds } = options;
  const file = await openFile(path, constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND, 0o600);
  const plain = new PlainFile(file);
  const start = performance.now();
  let count = 0;
  const write = async () => {
    for (; performance.now() < start + milliseconds; count++) {
      await plain.append(new Uint8Array(valueBytes).fill(count));
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const perSecond = (count / (performance.now() - start)) * 1_000;
  await closeFile(file);
  return perSecond;
}
