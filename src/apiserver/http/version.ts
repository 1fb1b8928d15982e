import { kubernetesVersion } from "../../apimachinery/index.ts";

/** What `/version` says: the version of Kubernetes whose behaviour this is, and what serves it. */
export function versionInfo(): { readonly gitVersion: string } & Readonly<Record<string, string>> {
  return {
    major: "1",
    minor: "36",
    gitVersion: `${kubernetesVersion}+kubets`,
    gitCommit: process.env.KUBETS_COMMIT ?? "0".repeat(40),
    gitTreeState: "clean",
    buildDate: process.env.KUBETS_BUILD_DATE ?? "1970-01-01T00:00:00Z",
    goVersion: `node ${process.version}`,
    compiler: "v8",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}
