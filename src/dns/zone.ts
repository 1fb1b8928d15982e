import type { Answer } from "dns-packet";
import type { Service } from "../api/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/types/discovery-v1.ts";

/** What the zone is made from; asked at each query, so answers are never older than the view. */
export interface ZoneView {
  service(key: { readonly namespace: string; readonly name: string }): Service | undefined;
  slices(key: { readonly namespace: string; readonly name: string }): readonly EndpointSlice[];
  hasNamespace(name: string): boolean;
  serviceByAddress(address: string): Service | undefined;
  slicesByAddress(address: string): readonly EndpointSlice[];
}

/** The answer to one question: `outside` names are for other servers. */
export type Resolution =
  | { readonly type: "outside" }
  | { readonly type: "nameError" }
  | { readonly type: "found"; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] };

/** Seconds that clients may keep an answer. */
export const timeToLive = 5;
const specificationVersion = "1.1.0";

interface Target {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Answers questions of the cluster's zone by the Kubernetes DNS specification, version 1.1. */
export class Zone {
  private readonly domain: string;
  private readonly view: ZoneView;

  constructor(options: { readonly domain: string; readonly view: ZoneView }) {
    this.domain = options.domain.toLowerCase();
    this.view = options.view;
  }

  resolve(question: { readonly name: string; readonly type: string }): Resolution {
    const name = question.name.toLowerCase().replace(/\.$/, "");
    if (name.endsWith(".arpa")) return this.reverse(name, question.type);
    if (name === this.domain) return found([]);
    if (!name.endsWith(`.${this.domain}`)) return { type: "outside" };
    const labels = name.slice(0, -this.domain.length - 1).split(".");
    const asked = { name, type: question.type };
    switch (labels.pop()) {
      case "svc":
        return this.inServices(labels, asked);
      case "pod":
        return this.pod(labels, asked);
      case "dns-version":
        if (labels.length > 0) return nameError;
        return found(
          asked.type === "TXT" ? [{ type: "TXT", name, ttl: timeToLive, data: specificationVersion }] : [],
        );
      default:
        return nameError;
    }
  }

  private inServices(labels: string[], asked: Asked): Resolution {
    const namespace = labels.pop();
    if (namespace === undefined) return found([]);
    const serviceName = labels.pop();
    if (serviceName === undefined) return this.view.hasNamespace(namespace) ? found([]) : nameError;
    const service = this.view.service({ namespace, name: serviceName });
    if (service === undefined) return nameError;
    if (service.spec.type === "ExternalName")
      return labels.length === 0 ? externalName(service, asked) : nameError;
    const targets = this.targets(service);
    if (labels.length === 0) return targets.length === 0 ? nameError : serviceRecords(targets, asked);
    if (labels.length === 2)
      return this.ports(service, { port: labels[0] ?? "", protocol: labels[1] ?? "", asked });
    if (labels.length > 2 || !isHeadless(service)) return nameError;
    const named = targets.filter(({ name }) => name === asked.name);
    if (named.length === 0) return this.portParent(service, { label: labels[0] ?? "" });
    return found(named.flatMap((target) => addressRecords(target, asked)));
  }

  /** Names that answers point to, with their addresses: the service itself, or each endpoint of a headless one. */
  private targets(service: Service): Target[] {
    const own = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.domain}`;
    if (!isHeadless(service)) return [{ name: own, addresses: service.spec.clusterIPs ?? [] }];
    return this.endpoints(service).map(({ endpoint }) => ({
      name: `${endpointLabel(endpoint)}.${own}`,
      addresses: endpoint.addresses,
    }));
  }

  private endpoints(service: Service): { slice: EndpointSlice; endpoint: Endpoint }[] {
    const { namespace = "", name } = service.metadata;
    const all = service.spec.publishNotReadyAddresses === true;
    return this.view
      .slices({ namespace, name })
      .flatMap((slice) =>
        (slice.endpoints ?? [])
          .filter(({ conditions }) => all || conditions?.ready !== false)
          .map((endpoint) => ({ slice, endpoint })),
      );
  }

  private ports(
    service: Service,
    { port, protocol, asked }: { port: string; protocol: string; asked: Asked },
  ): Resolution {
    if (!port.startsWith("_") || !protocol.startsWith("_")) return nameError;
    // Ports without a name have no such records.
    const matches = (one: { name?: string; protocol?: string }) =>
      port !== "_" &&
      `_${one.name ?? ""}` === port &&
      `_${(one.protocol ?? "TCP").toLowerCase()}` === protocol;
    const targets = this.targets(service);
    const numbers = isHeadless(service)
      ? this.endpoints(service).map(({ slice }) => slice.ports?.find(matches)?.port)
      : targets.map(() => service.spec.ports?.find(matches)?.port);
    // An endpoint with addresses of both families is in two slices, but one server.
    const pairs = new Map<string, { target: string; number: number }>();
    const named: Target[] = [];
    for (const [index, target] of targets.entries()) {
      const number = numbers[index];
      if (number === undefined) continue;
      pairs.set(`${target.name}:${number}`, { target: target.name, number });
      named.push(target);
    }
    if (pairs.size === 0) return nameError;
    if (asked.type !== "SRV" && asked.type !== "ANY") return found([]);
    const weight = Math.max(1, Math.floor(100 / pairs.size));
    const answers = [...pairs.values()].map(({ target, number }): Answer => ({
      type: "SRV",
      name: asked.name,
      ttl: timeToLive,
      data: { priority: 0, weight, port: number, target },
    }));
    return found(
      answers,
      named.flatMap((target) => addressRecords(target, { name: target.name, type: "ANY" })),
    );
  }

  /** `_tcp.web.default.svc…` has no records but has names below it. */
  private portParent(service: Service, { label }: { label: string }): Resolution {
    const known = service.spec.ports?.some(({ protocol = "TCP" }) => label === `_${protocol.toLowerCase()}`);
    return known ? found([]) : nameError;
  }

  private pod(labels: readonly string[], asked: Asked): Resolution {
    const [dashed = "", namespace, ...rest] = labels;
    if (labels.length === 0) return found([]);
    if (namespace === undefined) return this.view.hasNamespace(dashed) ? found([]) : nameError;
    const four = /^\d{1,3}(-\d{1,3}){3}$/.test(dashed);
    if (rest.length > 0 || !this.view.hasNamespace(namespace)) return nameError;
    if (!four && !/^[0-9a-f-]*-[0-9a-f-]*$/.test(dashed)) return nameError;
    const address = dashed.replaceAll("-", four ? "." : ":");
    return found(addressRecords({ name: asked.name, addresses: [address] }, asked));
  }

  private reverse(name: string, type: string): Resolution {
    const address = addressOf(name);
    const names = address === undefined ? [] : this.namesOf(address);
    if (names.length === 0) return { type: "outside" };
    if (type !== "PTR" && type !== "ANY") return found([]);
    return found(names.map((data): Answer => ({ type: "PTR", name, ttl: timeToLive, data })));
  }

  private namesOf(address: string): string[] {
    const service = this.view.serviceByAddress(address);
    if (service !== undefined) return this.targets(service).map(({ name }) => name);
    return this.view.slicesByAddress(address).flatMap((slice) => {
      const serviceName = slice.metadata.labels?.["kubernetes.io/service-name"];
      const owner = `${serviceName}.${slice.metadata.namespace}.svc.${this.domain}`;
      return (slice.endpoints ?? [])
        .filter(
          ({ addresses, hostname, conditions }) =>
            hostname !== undefined && addresses.includes(address) && conditions?.ready !== false,
        )
        .map((endpoint) => `${endpointLabel(endpoint)}.${owner}`);
    });
  }
}

interface Asked {
  readonly name: string;
  readonly type: string;
}

const nameError: Resolution = { type: "nameError" };
const found = (answers: readonly Answer[], additionals: readonly Answer[] = []): Resolution => ({
  type: "found",
  answers,
  additionals,
});

const isHeadless = (service: Service) => service.spec.clusterIP === "None";

/** The endpoint's own host name, else its address with dashes. */
function endpointLabel({ hostname, addresses }: Endpoint): string {
  if (hostname !== undefined && hostname !== "") return hostname;
  return (addresses[0] ?? "").replaceAll(/[.:]/g, "-");
}

function addressRecords(target: Target, asked: Asked): Answer[] {
  return target.addresses.flatMap((data): Answer[] => {
    const type = data.includes(":") ? "AAAA" : "A";
    return asked.type === type || asked.type === "ANY"
      ? [{ type, name: target.name, ttl: timeToLive, data }]
      : [];
  });
}

/** The service's own name answers with all addresses, whatever their own names. */
function serviceRecords(targets: readonly Target[], asked: Asked): Resolution {
  return found(targets.flatMap(({ addresses }) => addressRecords({ name: asked.name, addresses }, asked)));
}

function externalName(service: Service, asked: Asked): Resolution {
  const data = service.spec.externalName ?? "";
  return found([{ type: "CNAME", name: asked.name, ttl: timeToLive, data }]);
}

/** The address of a name under in-addr.arpa or ip6.arpa. */
function addressOf(name: string): string | undefined {
  const labels = name.split(".").toReversed();
  const [, kind, ...digits] = labels;
  if (kind === "in-addr" && digits.length === 4) return digits.join(".");
  if (kind !== "ip6" || digits.length !== 32) return undefined;
  const groups = digits.join("").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
