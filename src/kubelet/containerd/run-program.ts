import { spawn } from "node:child_process";

/** A program that ended badly. */
class ProgramError extends Error {
  override readonly name = "ProgramError";
}

const longestOutput = 64 * 1024;

/** Runs a short-lived program; answers its standard output, rejects with what it said when it fails. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (part: Buffer) => (output.stdout += part.toString()));
    child.stderr.on("data", (part: Buffer) => {
      if (output.stderr.length < longestOutput) output.stderr += part.toString();
    });
    child.on("error", reject);
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output.stdout);
      else
        reject(
          new ProgramError(
            `${program} ${args.join(" ")}: ${output.stderr.trim() || `ended with ${code ?? signal}`}`,
          ),
        );
    });
  });
}
