/** The version of Kubernetes whose behaviour the node has. */
export const kubernetesVersion = "v1.36.0";
