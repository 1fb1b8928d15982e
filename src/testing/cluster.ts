import {
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from "../base/index.ts";
import type { Client, UserInfo } from "../api/index.ts";
import { generateServiceAccountKey, type ServiceAccountKey } from "../apiserver/authentication/index.ts";
import { createInformerFactory } from "../client/index.ts";
import { createControlPlane, type ControlPlaneOptions } from "../control-plane/index.ts";
import { createMemoryStore, type MemoryStore } from "../store/index.ts";
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
  /**
   * Starts another cluster with all that this one holds now, be it running or stopped; what either does later the
   * other does not see. Taking over the state costs next to nothing however large it is, so a test can prepare a
   * cluster once and branch it for each case. Options that are left out are this cluster's.
   */
  branch(options?: Omit<TestClusterOptions, "nodes">): Promise<TestCluster>;
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
  const store = createMemoryStore({ clock: options.clock ?? systemClock });
  return startOn({ store, serviceAccountKey: await generateServiceAccountKey() }, options);
}

/** What a cluster is made of that its branches go on with. */
interface ClusterState {
  readonly store: MemoryStore;
  readonly serviceAccountKey: ServiceAccountKey;
}

async function startOn(state: ClusterState, options: TestClusterOptions): Promise<TestCluster> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, nodes = 1 } = options;
  const { store, serviceAccountKey } = state;
  const controlPlane = await createControlPlane({
    store,
    clock,
    random,
    logger,
    serviceAccountKey,
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
    branch(changed = {}) {
      const fork = store.fork({ clock: changed.clock ?? clock });
      return startOn({ store: fork, serviceAccountKey }, { ...options, ...changed });
    },
    async stop() {
      lifetime.abort();
      await running;
      await front.close();
      await controlPlane.close();
      await store.close();
    },
  };
}
