import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client } from "../api/index.ts";
import type { ResourceList, Service } from "../api/types/core-v1.ts";
import type { EventRecorder, Informer } from "../client/index.ts";
import type { CriClient } from "../cri/index.ts";
import type { PodCgroups } from "./cgroups.ts";
import type { ObjectWatcher } from "./object-watcher.ts";
import type { DnsSettings } from "./runtime/dns.ts";
import type { Images } from "./runtime/images.ts";
import type { VolumeDirectories } from "./volumes/index.ts";

/** What all pods of a node share. */
export interface NodeContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cri: CriClient;
  readonly mountImage: (imageId: string, directory: string) => Promise<void>;
  readonly recorder: EventRecorder;
  readonly nodeName: string;
  readonly directories: VolumeDirectories & { readonly logs: string; readonly seccomp: string };
  readonly cgroups: PodCgroups;
  readonly images: Images;
  readonly objects: ObjectWatcher;
  readonly services: Informer<Service>;
  readonly dns: DnsSettings;
  readonly hostIPs: readonly string[];
  readonly allocatable: ResourceList;
  readonly memoryCapacity: number;
  readonly userAgent: string;
}
