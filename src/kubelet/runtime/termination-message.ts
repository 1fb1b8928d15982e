import { open } from "node:fs/promises";
import type { ObservedContainer } from "../observation.ts";

const longestMessage = 4096;
const longestLogMessage = 2048;
const logLines = 80;

/** What an ended container left as its last message: its file, or for failed ones the end of its log. */
export async function terminationMessage(container: ObservedContainer): Promise<string> {
  const text = container.terminationFile === undefined ? "" : await headOf(container.terminationFile);
  if (text !== "" || container.exitCode === 0 || !container.fallsBackToLogs) return text;
  const log = await tailOf(container.logPath, 2 * longestLogMessage + logLines * 64);
  const lines = log.split("\n").filter((line) => line !== "");
  const contents = lines.slice(-logLines).map((line) => {
    const [, , flag, ...rest] = line.split(" ");
    return `${rest.join(" ")}${flag === "P" ? "" : "\n"}`;
  });
  return contents.join("").slice(-longestLogMessage);
}

async function headOf(path: string): Promise<string> {
  return readPart(path, { from: 0, length: longestMessage });
}

async function tailOf(path: string, length: number): Promise<string> {
  return readPart(path, { from: -length, length });
}

async function readPart(path: string, { from, length }: { from: number; length: number }): Promise<string> {
  let file;
  try {
    file = await open(path);
    const { size } = await file.stat();
    const start = from < 0 ? Math.max(0, size + from) : from;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.subarray(0, bytesRead).toString();
  } catch {
    // A container whose files are gone has left no message.
    return "";
  } finally {
    await file?.close();
  }
}
