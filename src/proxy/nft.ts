import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import type { Firewall } from "./proxy.ts";

/** A program that failed, with what it said. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** How much of a program's complaint is kept. */
const keptComplaint = 4096;

/** Runs a program with the input; rejects unless it ends with one of the allowed codes, 0 unless told otherwise. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  options?: { readonly input?: string; readonly allowed?: readonly number[] },
) => Promise<void>;

/** Runs a program on the machine. */
export const runProgram: RunProgram = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (chunk) => {
      if (complaint.length < keptComplaint) complaint += String(chunk);
    });
    child.on("error", reject);
    // A program that ends early closes its input; its exit code tells why.
    child.stdin.on("error", () => undefined);
    child.on("close", (code) => {
      if (options.allowed?.includes(code ?? -1) ?? code === 0) resolve();
      else reject(new ProgramError(`${program} ended with ${code}: ${complaint.slice(0, keptComplaint)}`));
    });
    child.stdin.end(options.input ?? "");
  });

/** The firewall through the nft and conntrack programs. */
export function firewallBy(run: RunProgram): Firewall {
  return {
    load: (commands) => run("nft", ["-f", "-"], { input: commands }),
    forgetUdp: ({ address, port, endpoint }) => {
      const from = address === undefined ? [] : ["--orig-dst", address];
      const to = endpoint === undefined ? [] : ["--dst-nat", endpoint];
      // Exit code 1: there was no such flow.
      return run("conntrack", ["-D", "-p", "udp", ...from, "--orig-port-dst", String(port), ...to], {
        allowed: [0, 1],
      });
    },
  };
}

/** The machine's own firewall. */
export const machineFirewall: Firewall = firewallBy(runProgram);

/** Kernel settings without which pods and services cannot be reached. */
const kernelSettings: Readonly<Record<string, string>> = {
  "net/ipv4/ip_forward": "1",
  "net/ipv4/conf/all/route_localnet": "1",
  "net/bridge/bridge-nf-call-iptables": "1",
};

/** Turns on forwarding, and rules for bridged packets where the kernel has bridge filtering. */
export async function prepareKernel(): Promise<void> {
  for (const [name, value] of Object.entries(kernelSettings)) {
    const path = `/proc/sys/${name}`;
    try {
      if ((await readFile(path, "utf8")).trim() !== value) await writeFile(path, value);
    } catch (error) {
      // A kernel without the setting has nothing to turn on.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
