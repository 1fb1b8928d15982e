import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryDirectory } from "./log-tools.ts";

const program = fileURLToPath(new URL("./full-child.ts", import.meta.url));
const isThere = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** Runs the child by a command that makes its disk small; answers what it told. */
async function livesOn(
  command: readonly string[],
  { args, onRead }: { readonly args: readonly string[]; readonly onRead?: (pid: number) => void },
): Promise<readonly string[]> {
  const [name = "", ...rest] = command;
  const child = spawn(name, [...rest, process.execPath, "--import", "tsx", program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.includes("can be read after")) onRead?.(child.pid!);
  }
  expect(await closed).toBe(0);
  return lines;
}

function expectRecovery([refusal, read, restarted, again, reopened]: readonly string[]): void {
  expect(refusal).toMatch(
    /^unavailable: no space left on the store's disk: (EFBIG|ENOSPC|the disk takes only part)/,
  );
  const [, found, written] = /^(\d+) of (\d+) can be read$/.exec(read ?? "") ?? [];
  expect(Number(written)).toBeGreaterThan(100);
  expect(found).toBe(written);
  expect(restarted).toBe(`${written} can be read after a restart`);
  expect(again).toBe("writes again");
  expect(reopened).toBe(`${Number(written) + 1} of ${Number(written) + 1} are there again`);
}

/** What the system lets the child write to one file at first: a real error of a real disk, without filling one. */
const firstLimit = 400_000;

it.skipIf(!isThere("prlimit", "--version"))(
  "refuses writes when a file cannot grow, reads on, and writes when it can again",
  async () => {
    const command = ["prlimit", `--fsize=${firstLimit}:unlimited`];
    const onRead = (pid: number) =>
      void execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited:unlimited"]);
    expectRecovery(await livesOn(command, { args: [await temporaryDirectory()], onRead }));
  },
);

/** A disk of 3 MB that only the child sees, and that goes with it; half of it is filled with something else. */
const onSmallDisk = [
  "unshare",
  "--user",
  "--map-root-user",
  "--mount",
  "sh",
  "-c",
  'mount -t tmpfs -o size=3m none "$0" && head -c 1500000 /dev/zero > "$0/filler" && exec "$@"',
];

it.skipIf(!isThere("unshare", "--user", "--map-root-user", "--mount", "true"))(
  "refuses writes when the disk is full, reads on, and writes when there is room again",
  async () => {
    const directory = await temporaryDirectory();
    const args = [`${directory}/store`, `${directory}/filler`];
    expectRecovery(await livesOn([...onSmallDisk, directory], { args }));
  },
);
