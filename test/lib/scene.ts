import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../integration/harness.ts";

/** A cluster for programs that read a kubeconfig. */
export interface Scene {
  readonly cluster: TestCluster;
  /** The programs' home, empty but for the kubeconfig. */
  readonly scratch: string;
  readonly kubeconfig: string;
  /** The environment in which programs find the cluster. */
  readonly env: NodeJS.ProcessEnv;
  end(): Promise<void>;
}

/** Starts a cluster with so many simulated nodes. */
export async function startScene({ nodes }: { readonly nodes: number }): Promise<Scene> {
  const scratch = await temporaryDirectory();
  const cluster = await startCluster({ nodes });
  const kubeconfig = join(scratch, "kubeconfig");
  await writeFile(kubeconfig, await cluster.kubeconfig(), { mode: 0o600 });
  return {
    cluster,
    scratch,
    kubeconfig,
    env: { ...process.env, KUBECONFIG: kubeconfig, HOME: scratch },
    async end() {
      await cluster.stop();
      await rm(scratch, { recursive: true });
    },
  };
}
