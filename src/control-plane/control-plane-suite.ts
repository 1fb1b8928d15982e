import { silentLogger, systemRandom, VirtualClock } from "../base/index.ts";
import { generateServiceAccountKey } from "../apiserver/authentication/index.ts";
import { createMemoryStore } from "../store/index.ts";
import type { ControlPlaneOptions } from "./index.ts";

/** The user who may do everything, in tests. */
export const administrator = { name: "admin", groups: ["system:masters"] };

/** A control plane on a store in memory and a clock of the test's, with one range of service addresses. */
export async function testOptions(): Promise<ControlPlaneOptions> {
  const clock = new VirtualClock();
  return {
    store: createMemoryStore({ clock }),
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/16",
  };
}
