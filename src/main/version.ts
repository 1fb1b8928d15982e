import { kubernetesVersion } from "../apimachinery/index.ts";

/** This package's own version; the build writes it in. */
export const packageVersion = process.env.KUBETS_VERSION ?? "0.0.0-source";

export function version(print: (line: string) => void): number {
  print(`kubets ${packageVersion} (Kubernetes ${kubernetesVersion}, Node.js ${process.version})`);
  return 0;
}
