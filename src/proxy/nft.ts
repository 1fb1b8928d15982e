import { forwardingSettings, runProgram, setKernelSettings, type RunProgram } from "../machine/index.ts";
import type { Firewall } from "./proxy.ts";

/** The firewall through the nft and conntrack programs. */
export function firewallBy(run: RunProgram): Firewall {
  return {
    load: async (commands) => void (await run("nft", ["-f", "-"], { input: commands })),
    forgetUdp: async ({ address, port, endpoint }) => {
      const from = address === undefined ? [] : ["--orig-dst", address];
      const to = endpoint === undefined ? [] : ["--dst-nat", endpoint];
      // Exit code 1: there was no such flow.
      await run("conntrack", ["-D", "-p", "udp", ...from, "--orig-port-dst", String(port), ...to], {
        allowed: [0, 1],
      });
    },
  };
}

/** The machine's own firewall. */
export const machineFirewall: Firewall = firewallBy(runProgram);

/** Turns on forwarding, and routes to services that start at the machine's own loopback addresses. */
export const prepareKernel = (): Promise<void> =>
  setKernelSettings({ ...forwardingSettings, "net/ipv4/conf/all/route_localnet": "1" });
