import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { writePrivately, type ClusterConfiguration } from "./configuration.ts";
import type { Layout } from "./layout.ts";

/** Another cluster whose node runs on this machine. */
export interface Neighbour {
  readonly directory: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
}

const fileName = "cluster.json";

/** Clusters with a node on this machine, this one left out. */
export function neighboursOf(layout: Layout): Neighbour[] {
  const folder = dirname(layout.run);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((id) => join(folder, id, fileName))
    .filter((file) => file !== join(layout.run, fileName) && existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as Neighbour);
}

/** Tells later clusters which networks this one's node uses, for as long as it runs. */
export function announce(layout: Layout, { podCIDR, serviceCIDR }: ClusterConfiguration): void {
  mkdirSync(layout.run, { recursive: true, mode: 0o700 });
  const neighbour: Neighbour = { directory: layout.directory, podCIDR, serviceCIDR };
  writePrivately(join(layout.run, fileName), `${JSON.stringify(neighbour)}\n`);
}
