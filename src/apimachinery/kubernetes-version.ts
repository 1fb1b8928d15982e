/** The version of Kubernetes whose behaviour this is, as `/version`, nodes and the command report it. */
export const kubernetesVersion = "v1.36.0";
