import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../base/index.ts";
import { startContainerd } from "../kubelet/containerd/index.ts";
import { removeKubeletLeftovers } from "../kubelet/index.ts";
import { machineFirewall, removeServiceRoute } from "../proxy/index.ts";
import type { ClusterConfiguration } from "./configuration.ts";
import type { Layout } from "./layout.ts";
import { containerdOptions, kubeletPlaces, serviceTable } from "./node.ts";

/** Removes what a node that was killed has left on the machine; a node that ended by itself leaves nothing. */
export async function sweepNode(parts: {
  layout: Layout;
  configuration: ClusterConfiguration;
}): Promise<void> {
  const { layout } = parts;
  if (!existsSync(join(layout.run, "containerd.toml")))
    return rmSync(layout.run, { recursive: true, force: true });
  const containerd = await startContainerd(containerdOptions({ ...parts, logger: silentLogger }));
  await containerd.stop();
  await removeKubeletLeftovers(kubeletPlaces(layout));
  const table = serviceTable(layout);
  await machineFirewall.load(`table ip ${table}\ndelete table ip ${table}\n`);
  await removeServiceRoute({ range: parts.configuration.serviceCIDR });
}
