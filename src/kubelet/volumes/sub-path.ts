import { mkdir, realpath, stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";

/** The path of a part of a volume, made when it is missing; refuses what leads out of the volume. */
export async function subPath(volumePath: string, options: { readonly path: string }): Promise<string> {
  const relative = normalize(options.path);
  if (relative.startsWith("/") || relative.split(sep).includes(".."))
    throw new Error(`subPath ${JSON.stringify(options.path)} must be a path below the volume`);
  const root = await realpath(volumePath);
  const target = join(root, relative);
  if (await stat(target).catch(() => undefined)) {
    const resolved = await realpath(target);
    if (resolved !== root && !resolved.startsWith(`${root}/`))
      throw new Error(`subpath ${JSON.stringify(options.path)} not within volume path`);
    return resolved;
  }
  // Only the part that is there can lead out; what is made below it cannot.
  const mode = (await stat(root)).mode & 0o7777;
  let existing = root;
  for (const part of relative.split(sep)) {
    const next = join(existing, part);
    if (!(await stat(next).catch(() => undefined))) break;
    existing = await realpath(next);
    if (!existing.startsWith(`${root}/`))
      throw new Error(`subpath ${JSON.stringify(options.path)} not within volume path`);
  }
  await mkdir(target, { recursive: true, mode });
  return target;
}
