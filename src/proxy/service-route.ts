import { ProgramError, runProgram, type RunProgram } from "../machine/index.ts";

interface ServiceRange {
  /** Addresses of services, e.g. `10.96.0.0/16`. */
  readonly range: string;
  readonly run?: RunProgram;
}

/**
 * Gives a machine that has no route for services' addresses one, as without a default route: else the kernel refuses
 * its own packets to them before the rules can redirect these. Settles with what takes it away again.
 */
export async function addServiceRoute({
  range,
  run = runProgram,
}: ServiceRange): Promise<() => Promise<void>> {
  const [address = ""] = range.split("/");
  try {
    await run("ip", ["route", "get", address]);
    return () => Promise.resolve();
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
  }
  await run("ip", ["route", "replace", range, "dev", "lo"]);
  return () => removeServiceRoute({ range, run });
}

/** Takes away what `addServiceRoute` of an earlier process has left. */
export async function removeServiceRoute({ range, run = runProgram }: ServiceRange): Promise<void> {
  // Exit code 2: there is none.
  await run("ip", ["route", "delete", range, "dev", "lo"], { allowed: [0, 2] });
}
