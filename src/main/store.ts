import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../store/index.ts";
import { checkLog, type LogReport, repairLog } from "../store/log/index.ts";
import type { CommandContext } from "./command.ts";
import { UsageError, type FlagValues } from "./flags.ts";
import { defaultDirectory, layoutOf } from "./layout.ts";

/** `kubets store`: looks at the files of a stopped cluster's store, or mends them. */
export async function store(flags: FlagValues, { print, positionals }: CommandContext): Promise<number> {
  const [verb, ...rest] = positionals;
  if ((verb !== "check" && verb !== "repair") || rest.length > 0) {
    throw new UsageError("say what to do: store check, or store repair");
  }
  const given = (flags.dir as string | undefined) ?? defaultDirectory();
  const directory = await storeDirectory(given);
  try {
    if (verb === "check") return await check(directory, print);
    return await repair(directory, print);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new UsageError(error.message);
  }
}

/** A directory with files of a store is one itself; else it is a cluster's. */
async function storeDirectory(given: string): Promise<string> {
  const isStore = (name: string) => /^(?:log|snapshot)-\d+$|^repairing$/.test(name);
  if (existsSync(given) && (await readdir(given)).some(isStore)) return given;
  const directory = layoutOf(given).store;
  if (!existsSync(directory)) throw new UsageError(`there is no store in ${given}`);
  return directory;
}

async function check(directory: string, print: (line: string) => void): Promise<number> {
  const report = await checkLog({ directory });
  for (const line of told(report, directory)) print(line);
  if (report.damage.length === 0) return 0;
  print(`"kubets store repair --dir ${directory}" would keep these ${report.objects} objects`);
  return 1;
}

async function repair(directory: string, print: (line: string) => void): Promise<number> {
  const report = await repairLog({ directory });
  for (const line of told(report, directory)) print(line);
  if (report.setAside.length === 0) {
    print("nothing needs repair");
    return 0;
  }
  for (const name of report.setAside) print(`kept as ${join(directory, name)}`);
  print(`repaired: ${report.objects} objects, going on at revision ${report.begins}`);
  return 0;
}

function told(report: LogReport, directory: string): readonly string[] {
  const { files, damage, lost, torn, objects, revision, compactedRevision } = report;
  const place = ({ file, offset, reason }: (typeof damage)[number]) =>
    `${join(directory, file)} at byte ${offset}: ${reason}`;
  return [
    ...files.map((file) => `${file.name}: ${file.bytes} bytes, ${file.frames} frames, format ${file.format}`),
    `${objects} objects at revision ${revision}, history after revision ${compactedRevision}`,
    ...(torn ? [`unfinished, and no harm: ${place(torn)}`] : []),
    ...damage.map((one) => `DAMAGED ${place(one)}`),
    ...lost.map(([from, to]) => `LOST ${from === to ? `revision ${from}` : `revisions ${from} to ${to}`}`),
    damage.length === 0 ? "whole" : `damaged in ${damage.length} ${damage.length === 1 ? "place" : "places"}`,
  ];
}
