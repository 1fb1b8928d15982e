import type { Client } from "../../api/index.ts";
import type { Clock } from "../../base/index.ts";
import type { ImageVolumeSource, Pod, Volume } from "../../api/types/core-v1.ts";
import type { DownwardContext } from "../environment/downward.ts";
import type { ObjectReader } from "../environment/environment.ts";

/** What a volume is set up with. */
export interface VolumeContext {
  readonly pod: Pod;
  readonly volume: Volume;
  /** Where the volume's files belong; does not exist yet. */
  readonly directory: string;
  /** The same on a file system in memory, for what must not reach a disk. */
  readonly memoryDirectory: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly objects: ObjectReader;
  readonly downward: DownwardContext;
  /** Pulls an image and shows its files at a directory; throws a `StartError` when it cannot be had. */
  readonly mountImage: (source: ImageVolumeSource, directory: string) => Promise<void>;
  /** Tokens of this pod that are still fresh. */
  readonly tokens: TokenCache;
}

/** A token with the time at which it should be replaced. */
interface CachedToken {
  readonly token: string;
  readonly refreshAt: number;
}

export type TokenCache = Map<string, CachedToken>;

/** A volume as containers may mount it. */
export interface MountedVolume {
  /** Path on the node. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Whether `fsGroup` applies to its files. */
  readonly ownable: boolean;
}

/** One kind of volume. */
export interface VolumePlugin {
  /** The field of the volume's definition that selects it. */
  readonly field: keyof Volume;
  /** Folder below a pod's `volumes`, as upstream names it. */
  readonly folder: string;
  /** Makes the volume's files; called again when something that it shows may have changed. */
  setUp(context: VolumeContext): Promise<MountedVolume>;
  /** Whether `setUp` is to be called again on changes. */
  readonly live: boolean;
  /** Takes down what `setUp` did beyond files in its directories. */
  tearDown?(directory: string): Promise<void>;
}
