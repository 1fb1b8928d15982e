import { readFile } from "node:fs/promises";
import type { Logger } from "../../base/index.ts";
import { findProgram } from "./machine.ts";
import { runProgram } from "../../machine/index.ts";

/**
 * Lets pods' packets through on machines that drop what they forward, as those with Docker do. No rule of a table of our
 * own can: what any table drops is dropped. So the rules go where the machine's own are.
 */
export async function openForwarding({
  bridgeName,
  logger,
}: {
  readonly bridgeName: string;
  readonly logger: Logger;
}): Promise<void> {
  for (const program of await iptablesPrograms()) {
    const rules = await runProgram(program, ["-w", "-S", "FORWARD"]).catch(() => "");
    if (!rules.startsWith("-P FORWARD DROP")) continue;
    for (const rule of acceptRules(bridgeName)) {
      if (await succeeds(program, ["-w", "-C", "FORWARD", ...rule])) continue;
      await runProgram(program, ["-w", "-I", "FORWARD", ...rule]);
    }
    logger.info("the machine drops what it forwards; rules that accept pods' packets were inserted", {
      program,
    });
  }
  const chains = await runProgram("nft", ["-j", "list", "chains"]).catch(() => "");
  for (const chain of droppingChains(chains)) {
    logger.warn(
      "a table of another firewall drops what the machine forwards: pods reach neither the outside nor, through services, one another until it accepts their interface",
      { chain, interface: bridgeName },
    );
  }
}

/** Takes the rules away again. */
export async function closeForwarding(bridgeName: string): Promise<void> {
  for (const program of await iptablesPrograms())
    for (const rule of acceptRules(bridgeName)) await succeeds(program, ["-w", "-D", "FORWARD", ...rule]);
}

/** The programs that machines manage their rules with; the older one only where it is in use, for asking loads it. */
async function iptablesPrograms(): Promise<string[]> {
  const tables = await readFile("/proc/net/ip_tables_names", "utf8").catch(() => "");
  const names = ["iptables", ...(tables.split("\n").includes("filter") ? ["iptables-legacy"] : [])];
  const programs = await Promise.all(names.map((name) => findProgram(name)));
  return programs.filter((program) => program !== undefined);
}

const acceptRules = (bridgeName: string): readonly (readonly string[])[] =>
  ["-i", "-o"].map((direction) => [direction, bridgeName, "-j", "ACCEPT"]);

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return runProgram(program, args).then(
    () => true,
    () => false,
  );
}

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** Chains, in nft's JSON, that drop forwarded packets by default and are not those of iptables. */
export function droppingChains(json: string): string[] {
  if (json === "") return [];
  const { nftables } = JSON.parse(json) as { nftables: readonly { readonly chain?: NftChain }[] };
  return nftables.flatMap(({ chain }) => {
    if (chain?.hook !== "forward" || chain.policy !== "drop" || !["ip", "inet"].includes(chain.family))
      return [];
    if (chain.family === "ip" && chain.table === "filter" && chain.name === "FORWARD") return [];
    return [`${chain.family} ${chain.table} ${chain.name}`];
  });
}
