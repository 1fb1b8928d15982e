/** How the runtime's objects are tied to pods, by upstream's keys, so that any kubelet and crictl understand them. */
export const labelKeys = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
} as const;

export const annotationKeys = {
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  gracePeriod: "io.kubernetes.pod.terminationGracePeriod",
  ports: "io.kubernetes.container.ports",
  configSource: "kubernetes.io/config.source",
  configSeen: "kubernetes.io/config.seen",
} as const;
