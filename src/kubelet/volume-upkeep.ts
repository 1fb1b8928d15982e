import type { Milliseconds } from "../base/index.ts";
import type { ImageVolumeSource, Pod } from "../api/types/core-v1.ts";
import type { ObjectReader } from "./environment/environment.ts";
import type { NodeContext } from "./node-context.ts";
import type { PodVolumes } from "./volumes/index.ts";

/** Sets a pod's volumes up once, and brings them up to date when what they show has changed. */
export class VolumeUpkeep {
  private readonly context: NodeContext;
  private readonly volumes: PodVolumes;
  private readonly objects: ObjectReader;
  private readonly mountImage: (pod: Pod, of: ImageMount) => Promise<void>;
  private isUp = false;
  private isStale = false;

  constructor(options: {
    readonly context: NodeContext;
    readonly volumes: PodVolumes;
    readonly objects: ObjectReader;
    readonly mountImage: (pod: Pod, of: ImageMount) => Promise<void>;
  }) {
    this.context = options.context;
    this.volumes = options.volumes;
    this.objects = options.objects;
    this.mountImage = options.mountImage;
  }

  get done(): boolean {
    return this.isUp;
  }

  /** When the first of the pod's tokens should be replaced. */
  get refreshAt(): Milliseconds | undefined {
    return this.volumes.refreshAt;
  }

  /** Something that volumes show may have changed. */
  markStale(): void {
    this.isStale = true;
  }

  async setUp(pod: Pod, podIPs: readonly string[]): Promise<void> {
    await this.volumes.setUp(pod, this.volumeContext(pod, podIPs));
    this.isUp = true;
    this.isStale = false;
  }

  async refreshWhenDue(pod: Pod, podIPs: readonly string[]): Promise<void> {
    const tokensAreDue = (this.refreshAt ?? Infinity) <= this.context.clock.now();
    if (!this.isUp || !(this.isStale || tokensAreDue)) return;
    this.isStale = false;
    await this.volumes.refresh(pod, this.volumeContext(pod, podIPs));
  }

  private volumeContext(pod: Pod, podIPs: readonly string[]) {
    const { client, clock, nodeName, hostIPs, allocatable } = this.context;
    return {
      pod,
      client,
      clock,
      objects: this.objects,
      mountImage: (source: ImageVolumeSource, directory: string) =>
        this.mountImage(pod, { source, directory }),
      downward: { pod, nodeName, hostIPs, podIPs, allocatable },
    };
  }
}

interface ImageMount {
  readonly source: ImageVolumeSource;
  readonly directory: string;
}
