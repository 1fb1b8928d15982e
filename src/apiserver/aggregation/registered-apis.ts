import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import type { Priorities } from "../discovery/index.ts";
import type { ObjectReader } from "../reader.ts";
import { isAvailable } from "./availability-metrics.ts";

/** A key and its certificate, PEM: as whom the server shows itself to extension servers. */
export interface ProxyIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** A group version that an extension server serves. */
export interface RemoteApi {
  /** The APIService's name. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** Whether the last check found the server well. */
  readonly available: boolean;
  /** Keeps connections to it. */
  readonly agent: Agent;
  /** Why there can be no connection, in the words of upstream's client. */
  readonly problem?: string | undefined;
}

/** What an extension server's certificate has to be, as the APIService says. */
export interface ServerTrust {
  /** The name in the certificate. */
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
  /** PEM; absent: what the machine trusts. */
  readonly ca?: string;
}

const defaultPort = 443;
/** Connections kept for the next request to one extension server. */
const idleConnections = 32;

/** The group versions that are registered with a service, as APIServices say. */
export class RegisteredApis {
  private readonly remotes = new Map<string, { readonly api: RemoteApi; readonly trust: ServerTrust }>();
  /** By the APIService's name; local ones too. */
  private readonly specs = new Map<string, APIService["spec"]>();
  /** The names of a group's APIServices. */
  private readonly byGroup = new Map<string, Set<string>>();
  private readonly identity: ProxyIdentity | undefined;
  private readonly unsubscribe: () => void;
  private readonly listeners = new Set<() => void>();

  constructor(options: { readonly reader: ObjectReader; readonly identity: ProxyIdentity | undefined }) {
    const { reader, identity } = options;
    this.identity = identity;
    for (const service of reader.list(APIService)) this.keep(service);
    this.unsubscribe = reader.subscribe(APIService, ({ object, old }) => {
      if (object) this.keep(object);
      else if (old) {
        const name = nameOf(old);
        this.regroup(name, undefined);
        this.specs.delete(name);
        this.forget(name);
      }
      for (const listener of Array.from(this.listeners)) listener();
    });
  }

  get size(): number {
    return this.remotes.size;
  }

  find(group: string, version: string): RemoteApi | undefined {
    return this.remotes.get(`${version}.${group}`)?.api;
  }

  all(): readonly RemoteApi[] {
    return Array.from(this.remotes.values(), ({ api }) => api);
  }

  /** Which groups and versions clients prefer, of all that have an APIService. */
  readonly priorities: Priorities = {
    group: (name) => {
      const names = this.byGroup.get(name);
      if (names === undefined) return undefined;
      return Math.max(...Array.from(names, (each) => this.specs.get(each)?.groupPriorityMinimum ?? 0));
    },
    version: (group, version) => this.specs.get(`${version}.${group}`)?.versionPriority,
  };

  /** Calls `listener` after each change of an APIService; returns what ends it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.unsubscribe();
    this.listeners.clear();
    for (const name of Array.from(this.remotes.keys())) this.forget(name);
  }

  private keep(object: APIService): void {
    const name = nameOf(object);
    this.regroup(name, object.spec.group ?? "");
    this.specs.set(name, object.spec);
    const { service } = object.spec;
    if (!service) return this.forget(name);
    const { group = "", version = "" } = object.spec;
    const { namespace = "", name: serviceName = "", port = defaultPort } = service;
    const trust = trustOf(object);
    const known = this.remotes.get(name);
    const same = known !== undefined && JSON.stringify(known.trust) === JSON.stringify(trust);
    if (!same) known?.api.agent.destroy();
    const api: RemoteApi = {
      name,
      group,
      version,
      service: { namespace, name: serviceName, port },
      available: isAvailable(object),
      agent: same ? known.api.agent : agentOf(this.identity, trust),
      problem: same ? known.api.problem : problemOf(trust),
    };
    this.remotes.set(name, { api, trust });
  }

  private regroup(name: string, group: string | undefined): void {
    const before = this.specs.get(name);
    const old = before && (before.group ?? "");
    if (old === group) return;
    const left = old === undefined ? undefined : this.byGroup.get(old);
    left?.delete(name);
    if (old !== undefined && left?.size === 0) this.byGroup.delete(old);
    if (group !== undefined) this.byGroup.set(group, (this.byGroup.get(group) ?? new Set()).add(name));
  }

  private forget(name: string): void {
    this.remotes.get(name)?.api.agent.destroy();
    this.remotes.delete(name);
  }
}

/** Keeps connections to servers that are trusted so. */
export function agentOf(identity: ProxyIdentity | undefined, trust: ServerTrust): Agent {
  return new Agent({
    keepAlive: true,
    maxFreeSockets: idleConnections,
    ...(identity ? { cert: identity.certificate, key: identity.key } : {}),
    ...trust,
  });
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** What is wrong with the authority that a server is trusted by. */
function problemOf({ ca }: ServerTrust): string | undefined {
  if (ca === undefined) return undefined;
  const failed = (why: string) => `unable to load root certificates: ${why}`;
  const blocks = ca.match(certificateBlock) ?? [];
  if (blocks.length === 0) {
    return failed(
      ca.includes("-----BEGIN ")
        ? "no valid certificate authority data seen"
        : "unable to parse bytes as PEM block",
    );
  }
  const isRead = (block: string) => {
    try {
      return new X509Certificate(block).raw.length > 0;
    } catch {
      return false;
    }
  };
  return blocks.some(isRead) ? undefined : failed("failed to parse certificate: x509: malformed certificate");
}

const nameOf = ({ metadata }: APIService) => metadata.name;

function trustOf({ spec }: APIService): ServerTrust {
  const { service, caBundle, insecureSkipTLSVerify } = spec;
  const servername = `${service?.name ?? ""}.${service?.namespace ?? ""}.svc`;
  if (insecureSkipTLSVerify) return { servername, rejectUnauthorized: false };
  const ca = caBundle ? { ca: Buffer.from(caBundle, "base64").toString() } : {};
  return { servername, rejectUnauthorized: true, ...ca };
}
