import type { Random } from "../../base/index.ts";
import type { ConnectHandler } from "../http/index.ts";
import type { ObjectReader } from "../reader.ts";
import { Kubelets } from "./kubelets.ts";
import type { KubeletClientTls } from "./kubelets.ts";
import { serveLog } from "./log.ts";
import { nodeTarget, podTarget, serviceTarget } from "./proxy-target.ts";
import { proxyHandler } from "./proxy.ts";
import { serveCommand, servePortForward } from "./streams.ts";

export type { KubeletClientTls } from "./kubelets.ts";
export { webhookPost } from "./webhook-post.ts";

/** Everything of the core group that leaves the API's own forms: logs, streams and proxies; for `serveApi`'s `connect`. */
export function connectHandlers(options: {
  readonly reader: ObjectReader;
  readonly kubeletClientTls: KubeletClientTls;
  readonly random: Random;
}): Readonly<Record<string, ConnectHandler>> {
  const { reader, random, kubeletClientTls } = options;
  const kubelets = new Kubelets({ reader, tls: kubeletClientTls });
  const parts = { reader, random, kubelets };
  return {
    "/pods/log": (call) => serveLog(call, parts),
    "/pods/exec": (call) => serveCommand(call, parts),
    "/pods/attach": (call) => serveCommand(call, parts),
    "/pods/portforward": (call) => servePortForward(call, parts),
    "/pods/proxy": proxyHandler(podTarget(parts)),
    "/services/proxy": proxyHandler(serviceTarget(parts)),
    "/nodes/proxy": proxyHandler(nodeTarget(parts)),
  };
}
