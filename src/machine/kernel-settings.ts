import { readFile, writeFile } from "node:fs/promises";

/** Settings without which pods cannot be reached; bridged packets meet the rules where the kernel has bridge filtering. */
export const forwardingSettings = {
  "net/ipv4/ip_forward": "1",
  "net/bridge/bridge-nf-call-iptables": "1",
} as const;

/** Brings kernel settings, by their paths below `/proc/sys`, to these values. */
export async function setKernelSettings(
  settings: Readonly<Record<string, string>>,
  { root = "/proc/sys" }: { readonly root?: string } = {},
): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    const path = `${root}/${name}`;
    try {
      if ((await readFile(path, "utf8")).trim() !== value) await writeFile(path, value);
    } catch (error) {
      // A kernel without the setting has nothing to turn on.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
