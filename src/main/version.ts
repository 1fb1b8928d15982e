/** The Kubernetes level served, as `/version` and nodes report it. */
export const kubernetesVersion = "v1.36.0";

/** This package's own version; the build writes it in. */
export const packageVersion = process.env.KUBETS_VERSION ?? "0.0.0-source";

export function version(print: (line: string) => void): number {
  print(`kubets ${packageVersion} (Kubernetes ${kubernetesVersion}, Node.js ${process.version})`);
  return 0;
}
