import { readFile, statfs } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { kubernetesVersion } from "../../apimachinery/index.ts";
import type { NodeSystemInfo, ResourceList } from "../../api/types/core-v1.ts";
import { imageArchitecture } from "../image/index.ts";

/** What a node is made of. */
export interface Machine {
  readonly capacity: ResourceList;
  readonly allocatable: ResourceList;
  readonly memoryBytes: number;
  readonly info: Omit<NodeSystemInfo, "containerRuntimeVersion">;
}

/** Memory that is never promised to pods: upstream's hard eviction threshold. */
const reservedMemory = 100 * 1024 * 1024;
/** Part of the disk that is never promised. */
const usableDisk = 0.9;

/** Reads the machine's size and names. */
export async function readMachine(options: { maxPods: number; directory: string }): Promise<Machine> {
  const memoryBytes = totalmem();
  const disk = await statfs(options.directory);
  const diskBytes = disk.blocks * disk.bsize;
  const text = (file: string) =>
    readFile(file, "utf8").then(
      (content) => content.trim(),
      () => "",
    );
  const [machineID, productUuid, bootID, osRelease] = await Promise.all([
    text("/etc/machine-id"),
    text("/sys/class/dmi/id/product_uuid"),
    text("/proc/sys/kernel/random/boot_id"),
    text("/etc/os-release"),
  ]);
  const shared = {
    cpu: String(cpus().length),
    pods: String(options.maxPods),
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
  };
  return {
    memoryBytes,
    capacity: {
      ...shared,
      memory: `${Math.floor(memoryBytes / 1024)}Ki`,
      "ephemeral-storage": `${Math.floor(diskBytes / 1024)}Ki`,
    },
    allocatable: {
      ...shared,
      memory: `${Math.floor((memoryBytes - reservedMemory) / 1024)}Ki`,
      "ephemeral-storage": String(Math.floor(diskBytes * usableDisk)),
    },
    info: {
      machineID: machineID || bootID.replaceAll("-", ""),
      systemUUID: productUuid || machineID || bootID,
      bootID,
      kernelVersion: release(),
      osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? "Linux",
      kubeletVersion: kubernetesVersion,
      // Upstream no longer fills it in.
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: imageArchitecture(),
    },
  };
}
