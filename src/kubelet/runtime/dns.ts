import type { Input } from "../../cri/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";

/** What a node knows of name servers. */
export interface DnsSettings {
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** Content of the node's resolv.conf. */
  readonly hostResolvConf: string;
}

interface Resolver {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const serverLimit = 3;
const searchLimit = 32;
const searchLengthLimit = 2048;

/** Reads a resolv.conf. */
function parseResolvConf(text: string): Resolver {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const values = (keyword: string) => lines.filter(([word]) => word === keyword).map(([, ...rest]) => rest);
  return {
    servers: values("nameserver").flatMap(([server]) => (server ? [server] : [])),
    searches: (values("search").at(-1) ?? []).map((domain) =>
      domain === "." ? domain : domain.replace(/\.$/, ""),
    ),
    options: values("options").at(-1) ?? [],
  };
}

/** The name resolution of a pod's containers, by its DNS policy and configuration. */
export function podDns(pod: Pod, settings: DnsSettings): Input<"DNSConfig"> {
  const resolver = appended(basicResolver(pod, settings), pod);
  let length = 0;
  const searches = resolver.searches.slice(0, searchLimit).filter((domain) => {
    length += domain.length + 1;
    return length - 1 <= searchLengthLimit;
  });
  return { servers: resolver.servers.slice(0, serverLimit), searches, options: resolver.options };
}

function basicResolver(pod: Pod, settings: DnsSettings): Resolver {
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const host = parseResolvConf(settings.hostResolvConf);
  const clusterFirst =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec.hostNetwork);
  if (!clusterFirst || settings.clusterDNS.length === 0)
    return host.servers.length > 0 ? host : { ...host, servers: ["127.0.0.1"], searches: ["."] };
  const domain = settings.clusterDomain;
  const searches = domain === "" ? [] : [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: settings.clusterDNS,
    searches: unique([...searches, ...host.searches.filter((search) => search !== ".")]),
    options: ["ndots:5"],
  };
}

function appended(resolver: Resolver, pod: Pod): Resolver {
  const extra = pod.spec.dnsConfig;
  if (!extra) return resolver;
  const added = (extra.options ?? []).map(({ name = "", value }) =>
    value === undefined || value === "" ? name : `${name}:${value}`,
  );
  const nameOf = (option: string) => option.split(":")[0] ?? "";
  const replaced = new Set(added.map(nameOf));
  return {
    servers: unique([...resolver.servers, ...(extra.nameservers ?? [])]),
    searches: unique([...resolver.searches, ...(extra.searches ?? [])]),
    options: [...resolver.options.filter((option) => !replaced.has(nameOf(option))), ...added],
  };
}

const unique = (items: readonly string[]) => [...new Set(items)];
