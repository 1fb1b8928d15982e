import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import { keyOf, keyString } from "../apimachinery/index.ts";
import { Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import type { InformerFactory } from "../client/index.ts";
import { Claims } from "./claims.ts";
import { chainName, serviceRules, type HealthCheck, type PickChain, type ServiceRules } from "./elements.ts";
import { addChain, baseTable, elementCommands } from "./ruleset.ts";
import { flowKey, staleFlows, type UdpFlow } from "./udp-flows.ts";

/** Changes that come together are loaded together. */
const gatherFor: Milliseconds = 20;
const retryAfter: Milliseconds = 1000;

/** Carries out what the proxy decides on the machine. */
export interface Firewall {
  /** Loads commands of nft in one transaction. */
  load(commands: string): Promise<void>;
  /** Forgets UDP flows to an address or node port, or those of them that go to one endpoint. */
  forgetUdp(flow: UdpFlow): Promise<void>;
}

/** Answers load balancers that ask whether the node has endpoints of a service. */
export interface HealthChecks {
  set(service: string, check: HealthCheck | undefined): void;
  /** Settles when nothing answers any more. */
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly informers: InformerFactory;
  readonly firewall: Firewall;
  readonly healthChecks: HealthChecks;
  readonly table: string;
  readonly nodeName: string;
  /** Ranges of the cluster's pods. */
  readonly podCIDRs: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once when the rules of all present services are in force. */
  readonly onReady?: () => void;
}

const none: ServiceRules = { elements: [], chains: [], udp: new Map() };
const serviceOf = "service";

/** Keeps the node's rules in step with services and their endpoints. Settles when the signal has aborted; the table is removed. */
export async function runProxy(options: ProxyOptions, signal: AbortSignal): Promise<void> {
  await new Proxy(options).run(signal);
}

interface View {
  readonly services: { get(key: { namespace?: string; name: string }): Service | undefined };
  readonly slices: { byIndex(index: string, value: string): readonly EndpointSlice[] };
}

class Proxy {
  private readonly options: ProxyOptions;
  /** Services to look at. */
  private readonly dirty = new Set<string>();
  /** Rules of each service that the claims were made from. */
  private readonly rules = new Map<string, ServiceRules>();
  private readonly claims = new Claims();
  private readonly chains = new Set<string>();
  /** Chains that rules use and the table has not. */
  private readonly missing = new Map<string, PickChain>();
  private readonly stale = new Map<string, UdpFlow>();
  /** `unknown`: the table is missing, or may be other than thought, and is to be made anew. */
  private table: "unknown" | "inStep" = "unknown";
  private wake: (() => void) | undefined;

  constructor(options: ProxyOptions) {
    this.options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, firewall, healthChecks, table } = this.options;
    const services = informers.informer(Service);
    const slices = informers.informer(EndpointSlice);
    slices.addIndex(serviceOf, (slice) => [serviceKey(slice)]);
    const mark = (key: string) => {
      this.dirty.add(key);
      this.wake?.();
    };
    const onService = (service: Service) => mark(keyString(keyOf(service)));
    const onSlice = (slice: EndpointSlice) => mark(serviceKey(slice));
    const stops = [
      services.on({ added: onService, updated: onService, deleted: onService }),
      slices.on({ added: onSlice, updated: onSlice, deleted: onSlice }),
    ];
    signal.addEventListener("abort", () => this.wake?.(), { once: true });
    try {
      await Promise.all([services.whenSynced(signal), slices.whenSynced(signal)]);
      await this.keepInStep({ services, slices }, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
      await healthChecks.close();
      await firewall.load(`table ip ${table}\ndelete table ip ${table}\n`);
    }
  }

  private async keepInStep(view: View, signal: AbortSignal): Promise<void> {
    const { clock, logger, onReady } = this.options;
    let ready = false;
    while (!signal.aborted) {
      try {
        await this.sync(view);
      } catch (error) {
        logger.error("rules could not be loaded", { error });
        await clock.sleep(retryAfter, signal);
        continue;
      }
      if (!ready) onReady?.();
      ready = true;
      await this.somethingDirty(signal);
      await clock.sleep(gatherFor, signal);
    }
  }

  private somethingDirty(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.dirty.size > 0) return resolve();
      this.wake = resolve;
    });
  }

  /** Brings the rules of the dirty services in step. What a failure leaves undone, the next call does. */
  private async sync(view: View): Promise<void> {
    for (const key of this.dirty) this.decide(key, view);
    this.dirty.clear();
    await this.load();
    for (const [key, flow] of this.stale) {
      await this.options.firewall.forgetUdp(flow);
      this.stale.delete(key);
    }
  }

  private decide(key: string, { services, slices }: View): void {
    const { nodeName, healthChecks } = this.options;
    const [namespace = "", name = ""] = key.split("/");
    const service = services.get({ namespace, name });
    const before = this.rules.get(key) ?? none;
    const after =
      service === undefined
        ? none
        : serviceRules(service, { slices: slices.byIndex(serviceOf, key), nodeName });
    this.claims.replace(key, after.elements);
    this.noteMissing(after);
    for (const flow of staleFlows(before.udp, after.udp)) this.stale.set(flowKey(flow), flow);
    if (before.health || after.health) healthChecks.set(key, after.health);
    if (service === undefined) this.rules.delete(key);
    else this.rules.set(key, after);
  }

  private async load(): Promise<void> {
    const { table, firewall, podCIDRs } = this.options;
    const anew = this.table === "unknown";
    if (anew) {
      this.claims.forget();
      this.chains.clear();
      for (const rules of this.rules.values()) this.noteMissing(rules);
    }
    const changes = this.claims.changes();
    const commands = [
      ...(anew
        ? [
            baseTable(
              table,
              podCIDRs.filter((cidr) => !cidr.includes(":")),
            ),
          ]
        : []),
      ...[...this.missing.values()].map((chain) => addChain(table, chain)),
      ...elementCommands(table, changes),
    ];
    this.table = "unknown";
    if (commands.length > 0) await firewall.load(`${commands.join("\n")}\n`);
    this.table = "inStep";
    for (const name of this.missing.keys()) this.chains.add(name);
    this.missing.clear();
    this.claims.settle(changes);
  }

  private noteMissing({ chains }: ServiceRules): void {
    for (const chain of chains) {
      const name = chainName(chain);
      if (!this.chains.has(name)) this.missing.set(name, chain);
    }
  }
}

function serviceKey({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"] ?? ""}`;
}
