import { join } from "node:path";
import type { ClusterConfiguration } from "./configuration.ts";
import type { Layout } from "./layout.ts";

/** Someone on the node who talks to the API server, with least rights. */
export interface NodeIdentity {
  readonly component: "kubelet" | "proxy" | "dns";
  /** Name of the certificate's files below the PKI folder. */
  readonly file: string;
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly kubeconfig: string;
}

/** The identities of a node's components, as upstream's bootstrap roles know them. */
export function nodeIdentities(layout: Layout, { nodeName }: ClusterConfiguration): readonly NodeIdentity[] {
  const kubeconfig = (component: string) => join(layout.node, `${component}.kubeconfig`);
  return [
    {
      component: "kubelet",
      file: "kubelet-client",
      commonName: `system:node:${nodeName}`,
      organizations: ["system:nodes"],
      kubeconfig: kubeconfig("kubelet"),
    },
    {
      component: "proxy",
      file: "kube-proxy",
      commonName: "system:kube-proxy",
      organizations: [],
      kubeconfig: kubeconfig("proxy"),
    },
    {
      component: "dns",
      file: "coredns",
      commonName: "system:serviceaccount:kube-system:coredns",
      organizations: ["system:serviceaccounts", "system:serviceaccounts:kube-system"],
      kubeconfig: kubeconfig("dns"),
    },
  ];
}
