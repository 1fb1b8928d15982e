import { spawn } from "node:child_process";

/** A program that ended badly, with what it said. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

interface RunOptions {
  readonly input?: string;
  /** Codes with which it may end; default: 0. */
  readonly allowed?: readonly number[];
}

/** Runs a short-lived program; answers its standard output, rejects with what it said when it fails. */
export type RunProgram = (program: string, args: readonly string[], options?: RunOptions) => Promise<string>;

/** How much of a program's complaint is kept. */
const longestComplaint = 64 * 1024;

/** Runs a program on the machine. */
export const runProgram: RunProgram = (program, args, { input = "", allowed = [0] } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (part: Buffer) => (output.stdout += part.toString()));
    child.stderr.on("data", (part: Buffer) => {
      if (output.stderr.length < longestComplaint) output.stderr += part.toString();
    });
    child.on("error", reject);
    // A program that ends early closes its input; its exit code tells why.
    child.stdin.on("error", () => undefined);
    child.on("close", (code, signal) => {
      if (code !== null && allowed.includes(code)) return resolve(output.stdout);
      const why = output.stderr.trim() || `ended with ${code ?? signal}`;
      reject(new ProgramError(`${program} ${args.join(" ")}: ${why}`));
    });
    child.stdin.end(input);
  });
