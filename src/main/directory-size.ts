import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** How many bytes the files of a directory take; undefined where there is no such directory. */
export function directorySize(directory: string): number | undefined {
  const names = unlessMissing(() => readdirSync(directory));
  // Files come and go meanwhile.
  return names?.reduce(
    (sum, name) => sum + (unlessMissing(() => statSync(join(directory, name)).size) ?? 0),
    0,
  );
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
