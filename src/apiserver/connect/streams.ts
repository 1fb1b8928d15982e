import { flagOf } from "../http/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { proxyUpgrade, requestSpdy } from "../../streaming/index.ts";
import type { ConnectRequest } from "../http/index.ts";
import type { Upgrade } from "../http/index.ts";
import type { ObjectReader } from "../reader.ts";
import { DialError, dial, hostAndPort } from "./kubelets.ts";
import type { Endpoint, Kubelets } from "./kubelets.ts";
import { containerOf, nodeOf, podOf } from "./pod-container.ts";

interface Parts {
  readonly reader: ObjectReader;
  readonly kubelets: Kubelets;
}

/** Serves `pods/exec` and `pods/attach` by the kubelet. */
export async function serveCommand(call: ConnectRequest, parts: Parts): Promise<void> {
  const { query } = call.exchange;
  const pod = podOf(parts.reader, call.key);
  const container = containerOf(pod, query.get("container") ?? "");
  const endpoint = parts.kubelets.endpoint(nodeOf(pod));
  const streams = {
    stdin: flagOf(query, "stdin") ?? false,
    stdout: flagOf(query, "stdout") ?? false,
    stderr: flagOf(query, "stderr") ?? false,
    tty: flagOf(query, "tty") ?? false,
  };
  const passed = new URLSearchParams();
  if (streams.stdin) passed.set("input", "1");
  if (streams.stdout) passed.set("output", "1");
  if (streams.stderr) passed.set("error", "1");
  if (streams.tty) passed.set("tty", "1");
  if (call.subresource === "exec") for (const word of query.getAll("command")) passed.append("command", word);
  const path = `${kubeletPath(call.subresource, pod)}/${encodeURIComponent(container)}?${passed.toString()}`;
  const upgrade = upgradeOf(call);
  const { bridgeRemoteCommand, offeredProtocols, wantsWebSocket } =
    await import("../../streaming/websocket/index.ts");
  const { headers } = upgrade.request;
  // Kubelets know the newest protocol only by way of the API server's translation.
  if (wantsWebSocket(headers) && offeredProtocols(headers).includes("v5.channel.k8s.io")) {
    return bridgeRemoteCommand(upgrade, { streams, open: spdyOpener(endpoint, path) });
  }
  await passThrough(upgrade, { endpoint, path });
}

/** Serves `pods/portforward` by the kubelet. */
export async function servePortForward(call: ConnectRequest, parts: Parts): Promise<void> {
  const pod = podOf(parts.reader, call.key);
  const endpoint = parts.kubelets.endpoint(nodeOf(pod));
  const passed = new URLSearchParams();
  const ports = call.exchange.query.getAll("ports").flatMap((list) => list.split(","));
  for (const port of ports) passed.append("port", port);
  const path = `${kubeletPath("portForward", pod)}${passed.size === 0 ? "" : `?${passed.toString()}`}`;
  const upgrade = upgradeOf(call);
  const { bridgePortForward, offeredProtocols, tunnelProtocol, wantsWebSocket } =
    await import("../../streaming/websocket/index.ts");
  const { headers } = upgrade.request;
  if (wantsWebSocket(headers) && offeredProtocols(headers).includes(tunnelProtocol)) {
    return bridgePortForward(upgrade, { ports: ports.map(Number), open: spdyOpener(endpoint, path) });
  }
  await passThrough(upgrade, { endpoint, path });
}

const kubeletPath = (word: string, { metadata }: Pod) =>
  `/${word}/${encodeURIComponent(metadata.namespace ?? "")}/${encodeURIComponent(metadata.name)}`;

function upgradeOf({ upgrade }: ConnectRequest): Upgrade {
  if (!upgrade) throw ApiError.badRequest("Upgrade request required");
  upgrade.socket.on("error", () => upgrade.socket.destroy());
  return upgrade;
}

function spdyOpener(endpoint: Endpoint, path: string) {
  return async (protocols: readonly string[]) =>
    requestSpdy({ connection: await dialOrFail(endpoint), host: hostAndPort(endpoint), path, protocols });
}

async function dialOrFail(endpoint: Endpoint) {
  try {
    return await dial(endpoint);
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    throw new ApiError({ code: 500, reason: "", message: `error dialing backend: ${error.message}` });
  }
}

/** Joins the client's connection with the server's, which then talk as they like. */
export async function passThrough(
  upgrade: Upgrade,
  { endpoint, path }: { readonly endpoint: Endpoint; readonly path: string },
): Promise<void> {
  const { request, socket, head } = upgrade;
  const backend = await dialOrFail(endpoint);
  await proxyUpgrade(
    { method: request.method ?? "GET", headers: request.headers, socket, head },
    { backend, host: hostAndPort(endpoint), path },
  );
}
