import { createHash } from "node:crypto";
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
  /** Serves the store as etcd v3 while the cluster runs. */
  readonly etcdSocket: string;
  readonly pki: string;
  readonly node: string;
  readonly logs: string;
  /** Sockets and live state of the node; gone after a restart of the machine. */
  readonly run: string;
  /** Tells this cluster's interfaces, tables and control groups from those of others on the machine. */
  readonly id: string;
}

export const defaultDirectory = (): string => join(homedir(), ".kubets");

export function layoutOf(directory: string): Layout {
  const root = resolve(directory);
  const data = join(root, "data");
  const id = createHash("sha256").update(root).digest("hex").slice(0, 6);
  return {
    directory: root,
    kubeconfig: join(root, "kubeconfig"),
    caCertificate: join(root, "ca.crt"),
    configuration: join(root, "cluster.json"),
    pids: join(root, "pids"),
    lock: join(root, "lock"),
    data,
    store: join(data, "store"),
    etcdSocket: join(data, "etcd.sock"),
    pki: join(data, "pki"),
    node: join(data, "node"),
    logs: join(root, "logs"),
    run: `/run/kubets/${id}`,
    id,
  };
}
