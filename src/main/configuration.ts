import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { UsageError } from "./flags.ts";
import type { FrontTexts } from "./front-flags.ts";
import type { Layout } from "./layout.ts";
import type { StorageTexts } from "./storage-flags.ts";

/** The settings of one cluster: chosen by its first `up`, kept in `cluster.json`, the same at every later one. */
export interface ClusterConfiguration {
  /** Format of the directory; a newer one is refused. */
  readonly format: 1;
  /** The API server's port. */
  readonly port: number;
  /** 0: the control plane alone; 1: with a node on this machine. */
  readonly nodes: 0 | 1;
  readonly nodeName: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** A range of the other family: services can have an address of each. */
  readonly secondaryServiceCIDR?: string;
  /** Ports of nodes for services, e.g. `30000-32767`. */
  readonly serviceNodePortRange?: string;
  readonly clusterDomain: string;
  /** The kubelet's port. */
  readonly kubeletPort: number;
  /** Where cluster DNS listens on the node, behind the service kube-dns. */
  readonly dnsPort: number;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** Service accounts get token secrets, as before v1.24. */
  readonly legacyServiceAccountTokens?: boolean;
  /** API versions to turn on and off, as `--runtime-config` has them. */
  readonly runtimeConfig?: string;
  /** Flags of where objects are kept, by name. */
  readonly storage?: StorageTexts;
  /** Flags of how the API server lets requests in, by name. */
  readonly front?: FrontTexts;
}

export const currentFormat = 1;

/** The settings in force, or undefined where there is no cluster yet. */
export function readConfiguration(layout: Layout): ClusterConfiguration | undefined {
  if (!existsSync(layout.configuration)) return undefined;
  const parsed: unknown = parse(layout.configuration);
  const format = (parsed as { format?: unknown } | null)?.format;
  if (typeof format !== "number")
    throw new UsageError(`${layout.configuration} is no kubets cluster configuration`);
  if (format > currentFormat) {
    throw new UsageError(
      `${layout.directory} was written by a newer kubets (format ${format}; this one knows up to ${currentFormat}): use that version`,
    );
  }
  return parsed as ClusterConfiguration;
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function writeConfiguration(layout: Layout, configuration: ClusterConfiguration): void {
  writePrivately(layout.configuration, `${JSON.stringify(configuration, undefined, 2)}\n`);
}

/** Replaces a file in one step, readable by its owner alone. */
export function writePrivately(path: string, text: string): void {
  const scratch = `${path}.new`;
  writeFileSync(scratch, text, { mode: 0o600 });
  renameSync(scratch, path);
}

export function makeDirectories(layout: Layout): void {
  for (const folder of [layout.directory, layout.data, layout.pki, layout.logs, layout.node]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  chmodSync(layout.data, 0o700);
}
