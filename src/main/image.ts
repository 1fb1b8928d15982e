import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../machine/index.ts";
import { makeBusyboxImage } from "../kubelet/image/index.ts";
import type { CommandContext } from "./command.ts";
import { UsageError, type FlagValues } from "./flags.ts";
import { defaultDirectory, layoutOf } from "./layout.ts";

/** `kubets image`: puts images into the node's store without a registry. */
export async function image(flags: FlagValues, { print, positionals }: CommandContext): Promise<number> {
  const [verb, ...names] = positionals;
  if ((verb !== "import" && verb !== "busybox") || names.length === 0) {
    throw new UsageError("say what to do: image import FILE..., or image busybox NAME...");
  }
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  const socket = join(layout.run, "containerd.sock");
  if (!existsSync(socket))
    throw new UsageError(`no node of the cluster in ${layout.directory} runs on this machine`);
  if (verb === "import") {
    for (const file of names) {
      await importFile(socket, file);
      print(`imported ${file}`);
    }
    return 0;
  }
  const program = "/bin/busybox";
  if (!existsSync(program))
    throw new UsageError(`${program} is missing. On Debian: apt-get install busybox-static`);
  const full = names.map(fullName);
  const folder = await mkdtemp(join(tmpdir(), "kubets-image-"));
  try {
    const file = join(folder, "image.tar");
    await writeFile(file, await makeBusyboxImage({ program, names: full }));
    await importFile(socket, file);
  } finally {
    await rm(folder, { recursive: true });
  }
  for (const name of full) print(`made ${name} from ${program}`);
  return 0;
}

async function importFile(socket: string, file: string): Promise<void> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  await runProgram("ctr", ["-a", socket, "-n", "k8s.io", "images", "import", file]);
}

/** The name under which the runtime knows an image: with registry, repository and tag. */
export function fullName(name: string): string {
  const tagged = /:[^/]+$/.test(name) ? name : `${name}:latest`;
  const [first = "", ...rest] = tagged.split("/");
  if (rest.length === 0) return `docker.io/library/${tagged}`;
  return /[.:]|^localhost$/.test(first) ? tagged : `docker.io/${tagged}`;
}
