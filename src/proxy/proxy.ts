import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import { keyOf, keyString } from "../apimachinery/index.ts";
import { Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import type { InformerFactory } from "../client/index.ts";
import { chainName, serviceRules, type Element, type ServiceRules } from "./elements.ts";
import { addChain, baseTable, elementChanges } from "./ruleset.ts";

/** Changes that come together are loaded together. */
const gatherFor: Milliseconds = 20;
const retryAfter: Milliseconds = 1000;

/** Carries out what the proxy decides on the machine. */
export interface Firewall {
  /** Loads commands of nft in one transaction. */
  load(commands: string): Promise<void>;
  /** Forgets UDP flows from a destination to an endpoint, or all of the destination. */
  forgetUdp(flow: { readonly destination: string; readonly endpoint?: string }): Promise<void>;
}

export interface ProxyOptions {
  readonly informers: InformerFactory;
  readonly firewall: Firewall;
  readonly table: string;
  readonly nodeName: string;
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

class Proxy {
  private readonly options: ProxyOptions;
  private readonly dirty = new Set<string>();
  private readonly inForce = new Map<string, ServiceRules>();
  private readonly chains = new Set<string>();
  /** How many services have each hairpin pair: elements of different services may be the same. */
  private readonly users = new Map<string, number>();
  private wake: (() => void) | undefined;

  constructor(options: ProxyOptions) {
    this.options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, firewall, table, clock, logger } = this.options;
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
      await firewall.load(baseTable(table));
      let ready = false;
      while (!signal.aborted) {
        const keys = [...this.dirty];
        this.dirty.clear();
        try {
          await this.sync(keys, { services, slices });
        } catch (error) {
          for (const key of keys) this.dirty.add(key);
          logger.error("rules could not be loaded", { error });
          await clock.sleep(retryAfter, signal);
          continue;
        }
        if (!ready) this.options.onReady?.();
        ready = true;
        await this.somethingDirty(signal);
        await clock.sleep(gatherFor, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
      await firewall.load(`table ip ${table}\ndelete table ip ${table}\n`);
    }
  }

  private somethingDirty(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.dirty.size > 0) return resolve();
      this.wake = resolve;
    });
  }

  /** Brings the rules of the services in step. */
  private async sync(
    keys: readonly string[],
    view: {
      readonly services: { get(key: { namespace?: string; name: string }): Service | undefined };
      readonly slices: { byIndex(index: string, value: string): readonly EndpointSlice[] };
    },
  ): Promise<void> {
    const { table, nodeName, firewall } = this.options;
    const next = new Map<string, ServiceRules>();
    for (const key of keys) {
      const [namespace = "", name = ""] = key.split("/");
      const service = view.services.get({ namespace, name });
      next.set(
        key,
        service === undefined
          ? none
          : serviceRules(service, { slices: view.slices.byIndex(serviceOf, key), nodeName }),
      );
    }
    const before = keys.flatMap((key) => this.inForce.get(key)?.elements ?? []);
    const after = [...next.values()].flatMap(({ elements }) => elements);
    const shared = this.shareCounts({ before, after });
    const { removals, additions } = elementChanges(table, {
      inForce: before.filter((element) => element.set !== "hairpin" || !shared.stays(element)),
      wanted: after.filter((element) => element.set !== "hairpin" || shared.isNew(element)),
    });
    const chains = [...next.values()]
      .flatMap((rules) => rules.chains)
      .filter((chain) => !this.chains.has(chainName(chain)));
    const fresh = [...new Map(chains.map((chain) => [chainName(chain), chain])).values()];
    const commands = [...fresh.map((chain) => addChain(table, chain)), ...removals, ...additions];
    if (commands.length > 0) await firewall.load(`${commands.join("\n")}\n`);
    for (const chain of fresh) this.chains.add(chainName(chain));
    shared.commit();
    const stale = keys.flatMap((key) => staleFlows(this.inForce.get(key) ?? none, next.get(key) ?? none));
    for (const [key, rules] of next) {
      if (rules === none) this.inForce.delete(key);
      else this.inForce.set(key, rules);
    }
    for (const flow of stale) await firewall.forgetUdp(flow);
  }

  private shareCounts({ before, after }: { before: readonly Element[]; after: readonly Element[] }) {
    const next = new Map<string, number>();
    const countOf = (key: string) => next.get(key) ?? this.users.get(key) ?? 0;
    const count = (elements: readonly Element[], sign: 1 | -1) => {
      for (const { set, key } of elements) if (set === "hairpin") next.set(key, countOf(key) + sign);
    };
    count(before, -1);
    count(after, 1);
    return {
      stays: ({ key }: Element) => countOf(key) > 0,
      isNew: ({ key }: Element) => (this.users.get(key) ?? 0) === 0,
      commit: () => {
        for (const [key, users] of next) {
          if (users > 0) this.users.set(key, users);
          else this.users.delete(key);
        }
      },
    };
  }
}

function serviceKey({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"] ?? ""}`;
}

/** UDP knows no connection's end: flows to endpoints that went, or from before there were any, are forgotten. */
function staleFlows(before: ServiceRules, after: ServiceRules): { destination: string; endpoint?: string }[] {
  const gone = [...before.udp].flatMap(([destination, endpoints]) =>
    endpoints
      .filter((endpoint) => !after.udp.get(destination)?.includes(endpoint))
      .map((endpoint) => ({ destination, endpoint })),
  );
  const first = [...after.udp.keys()]
    .filter((destination) => !before.udp.has(destination))
    .map((destination) => ({ destination }));
  return [...gone, ...first];
}
