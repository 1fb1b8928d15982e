import { isIP } from "node:net";
import type { Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { ConnectRequest } from "../http/index.ts";
import type { ObjectReader } from "../reader.ts";
import { resolveProxiedService } from "../resolve-service.ts";
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
    const { namespace = "" } = call.key;
    const chosen = resolveProxiedService({ reader, random }, { namespace, name, port, id: call.key.name });
    return { host: proxyable(chosen.host), port: chosen.port, ...tlsOf(scheme) };
  };
}

export function nodeTarget({ kubelets }: Parts): TargetFinder {
  return (call) => {
    const { scheme, name, port } = namesOf(call, "node");
    const kubelet = kubelets.endpoint(name);
    if (port === "" || Number(port) === kubelet.port) return kubelet;
    return { host: kubelet.host, port: numberOf(port), ...tlsOf(scheme) };
  };
}
