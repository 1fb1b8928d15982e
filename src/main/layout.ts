import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where everything of one cluster lives. */
export interface Layout {
  readonly directory: string;
  /** Kubeconfig of the administrator. */
  readonly kubeconfig: string;
  /** Certificate of the cluster's authority. */
  readonly caCertificate: string;
  readonly configuration: string;
  /** A line `name pid` for each process. */
  readonly pids: string;
  readonly lock: string;
  readonly data: string;
  readonly store: string;
  readonly pki: string;
  readonly node: string;
  readonly logs: string;
}

export const defaultDirectory = (): string => join(homedir(), ".kubets");

export function layoutOf(directory: string): Layout {
  const root = resolve(directory);
  const data = join(root, "data");
  return {
    directory: root,
    kubeconfig: join(root, "kubeconfig"),
    caCertificate: join(root, "ca.crt"),
    configuration: join(root, "cluster.json"),
    pids: join(root, "pids"),
    lock: join(root, "lock"),
    data,
    store: join(data, "store"),
    pki: join(data, "pki"),
    node: join(data, "node"),
    logs: join(root, "logs"),
  };
}
