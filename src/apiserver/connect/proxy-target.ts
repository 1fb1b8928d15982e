import { isIP } from "node:net";
import type { Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { Endpoints, Service } from "../../api/types/core-v1.ts";
import type { ConnectRequest } from "../http/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { Endpoint, Kubelets } from "./kubelets.ts";
import { podOf } from "./pod-container.ts";

/** Finds the server that a proxied request is for. */
export type TargetFinder = (call: ConnectRequest) => Endpoint;

interface Parts {
  readonly reader: ObjectReader;
  readonly kubelets: Kubelets;
  readonly random: Random;
}

/** A name in a proxy's path: `name`, `name:port` or `scheme:name:port`; undefined when it is none. */
export function splitName(
  id: string,
): { readonly scheme: string; readonly name: string; readonly port: string } | undefined {
  const parts = id.split(":");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length > 3) return undefined;
  const split =
    parts.length === 3
      ? { scheme: first, name: second, port: third }
      : { scheme: "", name: first, port: second };
  if (!["", "http", "https"].includes(split.scheme) || split.name === "") return undefined;
  return parts.length === 2 && split.port === "" ? undefined : split;
}

function namesOf(call: ConnectRequest, kind: string) {
  const names = splitName(call.key.name);
  if (!names) throw ApiError.badRequest(`invalid ${kind} request ${JSON.stringify(call.key.name)}`);
  return names;
}

/** Whoever answers on pods and services has certificates of its own making. */
const tlsOf = (scheme: string): Pick<Endpoint, "tls"> =>
  scheme === "https" ? { tls: { verify: false } } : {};

const schemePort = (scheme: string) => (scheme === "https" ? 443 : 80);

function numberOf(port: string): number {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw ApiError.badRequest(`invalid port ${JSON.stringify(port)}`);
}

/** Addresses of the API server's own machine and link are no places to proxy to. */
function proxyable(address: string): string {
  const forbidden =
    isIP(address) === 0 || /^(127\.|169\.254\.|224\.0\.0\.|::1$|fe[89ab]|ff[01]2)/i.test(address);
  if (forbidden) throw ApiError.badRequest("address not allowed");
  return address;
}

export function podTarget({ reader }: Parts): TargetFinder {
  return (call) => {
    const { scheme, name, port } = namesOf(call, "pod");
    const pod = podOf(reader, { ...call.key, name });
    const declared = pod.spec.containers.flatMap(({ ports }) => ports?.slice(0, 1) ?? [])[0]?.containerPort;
    const host = proxyable(pod.status.podIPs?.[0]?.ip ?? pod.status.podIP ?? "");
    return {
      host,
      port: port === "" ? (declared ?? schemePort(scheme)) : numberOf(port),
      ...tlsOf(scheme),
    };
  };
}

export function serviceTarget({ reader, random }: Parts): TargetFinder {
  return (call) => {
    const { scheme, name, port } = namesOf(call, "service");
    const chosen = serviceEndpoint({ reader, random }, { key: { ...call.key, name }, port });
    return { host: proxyable(chosen.host), port: chosen.port, ...tlsOf(scheme) };
  };
}

/** One of a service's ready endpoints; the port is its number or its name. Throws where there is none. */
export function serviceEndpoint(
  { reader, random }: Pick<Parts, "reader" | "random">,
  { key, port }: { readonly key: ObjectKey; readonly port: string },
): { readonly host: string; readonly port: number } {
  const { name } = key;
  const service = reader.get(Service, key);
  if (!service) throw ApiError.notFound({ group: "", resource: "services" }, name);
  const portName = servicePortName(service, port);
  const subsets = reader.get(Endpoints, key)?.subsets ?? [];
  const ready = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter((one) => (one.name ?? "") === portName)
      .flatMap((one) => addresses.map(({ ip }) => ({ host: ip, port: one.port }))),
  );
  const chosen = ready[Math.floor(random.next() * ready.length)];
  if (!chosen) {
    throw ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  return chosen;
}

/** Endpoints know ports by their names. */
function servicePortName({ metadata, spec }: Service, port: string): string {
  if (!/^\d+$/.test(port)) return port;
  const found = spec.ports?.find((one) => one.port === Number(port));
  if (found) return found.name ?? "";
  throw ApiError.serviceUnavailable(
    `no service port ${port} found for service ${JSON.stringify(metadata.name)}`,
  );
}

export function nodeTarget({ kubelets }: Parts): TargetFinder {
  return (call) => {
    const { scheme, name, port } = namesOf(call, "node");
    const kubelet = kubelets.endpoint(name);
    if (port === "" || Number(port) === kubelet.port) return kubelet;
    return { host: kubelet.host, port: numberOf(port), ...tlsOf(scheme) };
  };
}
