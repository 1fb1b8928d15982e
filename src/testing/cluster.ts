import {
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from "../base/index.ts";
import type { Client, UserInfo } from "../api/index.ts";
import { generateServiceAccountKey } from "../apiserver/authentication/index.ts";
import { createInformerFactory } from "../client/index.ts";
import { createControlPlane, type ControlPlaneOptions } from "../control-plane/index.ts";
import { createMemoryStore } from "../store/index.ts";
import { LazyFront } from "./front.ts";
import { runSimulatedNodes, type SimulatedNodeOptions } from "./simulated-nodes.ts";

export interface TestClusterOptions {
  /** Number of simulated nodes, named `node-1` and so on, or the nodes themselves; default 1. */
  readonly nodes?: number | SimulatedNodeOptions;
  /** Default: the machine's time. With a virtual clock the whole cluster runs on it. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Which admission plugins run besides, or instead of, the usual ones. */
  readonly admission?: ControlPlaneOptions["admission"];
  /** Make token secrets for service accounts, as before v1.24; default: none. */
  readonly legacyServiceAccountTokens?: boolean;
}

/** A whole control plane in this process, with a memory store, for tests of controllers and operators. */
export interface TestCluster {
  /** Acts as a member of `system:masters`. */
  readonly client: Client;
  /** Acts as someone else, with the rights that roles give. */
  clientFor(user: UserInfo): Client;
  /** Opens an HTTPS port on 127.0.0.1, the first time, and answers a kubeconfig for it as YAML. */
  kubeconfig(): Promise<string>;
  /** Settles when nothing of the cluster runs any more. */
  stop(): Promise<void>;
}

const administrator: UserInfo = {
  name: "kubernetes-admin",
  groups: ["system:masters", "system:authenticated"],
};
const serviceCIDR = "10.96.0.0/16";

/** Starts a cluster that lives in this process; ready in a fraction of a second. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, nodes = 1 } = options;
  const store = createMemoryStore({ clock });
  const controlPlane = await createControlPlane({
    store,
    clock,
    random,
    logger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc.cluster.local",
    rootCertificateAuthority: "",
    serviceCIDR,
    admission: options.admission ?? {},
    legacyServiceAccountTokens: options.legacyServiceAccountTokens ?? false,
  });
  const lifetime = new AbortController();
  const simulated: SimulatedNodeOptions =
    typeof nodes === "number"
      ? { names: Array.from({ length: nodes }, (_, index) => `node-${index + 1}`) }
      : nodes;
  const client = controlPlane.clientFor(administrator);
  const informers = createInformerFactory({ client, clock, logger, random });
  const running = Promise.all([
    controlPlane.run(lifetime.signal),
    informers.run(lifetime.signal),
    simulated.names.length === 0
      ? Promise.resolve()
      : runSimulatedNodes({ ...simulated, client, informers, clock, logger }, lifetime.signal),
  ]);
  const front = new LazyFront(controlPlane, { clock });
  return {
    client,
    clientFor: (user) => controlPlane.clientFor(user),
    kubeconfig: () => front.kubeconfig(),
    async stop() {
      lifetime.abort();
      await running;
      await front.close();
      await controlPlane.close();
      await store.close();
    },
  };
}
