import { seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { KubernetesObject, New, Resource } from "../../apimachinery/index.ts";
import { createInformerFactory } from "../../client/index.ts";
import { MemoryClient } from "../../client/testing/index.ts";
import { Event, Pod } from "../../api/types/core-v1.ts";
import { fixedCatalog, runEntries } from "../framework/index.ts";
import type { Catalog, Controller, ControllerContext, ControllerSettings } from "../framework/index.ts";

/** Controllers over a client in memory and virtual time. */
export class Harness {
  readonly clock = new VirtualClock();
  readonly client = new MemoryClient({ clock: this.clock, random: seededRandom(1) });
  private readonly stopping = new AbortController();
  private readonly runs: Promise<void>[] = [];

  /** Starts controllers. */
  start(
    creates: readonly ((context: ControllerContext) => Controller)[],
    options: { catalog?: Catalog; settings?: Partial<ControllerSettings> } = {},
  ): void {
    const { clock, client } = this;
    const { signal } = this.stopping;
    const logger = silentLogger;
    const random = seededRandom(2);
    const informers = createInformerFactory({ client, clock, logger, random });
    const settings: ControllerSettings = {
      rootCertificateAuthority: "PEM",
      catalog: options.catalog ?? fixedCatalog([]),
      nodeMonitorGracePeriod: 50_000,
      nodeStartupGracePeriod: 60_000,
      terminatedPodThreshold: 12_500,
      ...options.settings,
    };
    const entries = creates.map((create, index) => ({ name: `test-${index}`, account: "test", create }));
    const shared = { clientFor: () => client, informers, settings, clock, random, logger };
    this.runs.push(runEntries(entries, shared, signal), informers.run(signal));
  }

  /** Lets everything that is due now happen. */
  async settle(span = 100): Promise<void> {
    await this.clock.advance(span);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.runs);
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: New<T>): Promise<T> {
    return this.client.create<T>(resource, object);
  }

  async list<T extends KubernetesObject>(resource: Resource<T>): Promise<readonly T[]> {
    return (await this.client.list(resource)).items;
  }

  /** Merges a change into an object, as a user or kubelet would. */
  change<T extends KubernetesObject>(
    resource: Resource<T>,
    object: KubernetesObject,
    body: object,
  ): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.client.patch(resource, { namespace, name }, { type: "merge", body });
  }

  /** Lets all pods without status run, as a kubelet would. */
  async runPods(ready = true): Promise<void> {
    for (const pod of await this.list(Pod)) {
      if (pod.status?.phase !== undefined) continue;
      const lastTransitionTime = new Date(this.clock.now()).toISOString();
      const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
      await this.change(Pod, pod, { spec: { nodeName: "node" }, status: { phase: "Running", conditions } });
    }
    await this.settle();
  }

  async events(): Promise<readonly string[]> {
    return (await this.list(Event)).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  refuse(when: (verb: string, resource: string) => boolean, error: ApiError): void {
    this.client.intercept = ({ verb, resource }) => {
      if (when(verb, resource)) throw error;
    };
  }
}
