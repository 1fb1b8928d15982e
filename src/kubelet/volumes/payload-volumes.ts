import type { Volume } from "../../api/types/core-v1.ts";
import { writeAtomically } from "./atomic-writer.ts";
import type { Payload } from "./atomic-writer.ts";
import { configMapPayload, defaultMode, downwardPayload, secretPayload, tokenPayload } from "./payload.ts";
import type { MountedVolume, VolumeContext, VolumePlugin } from "./volume-plugin.ts";

/** A kind of volume that shows files which the kubelet writes. */
function payloadVolume(options: {
  readonly field: keyof Volume;
  readonly folder: string;
  readonly inMemory: boolean;
  readonly payload: (context: VolumeContext) => Promise<Payload>;
}): VolumePlugin {
  return {
    field: options.field,
    folder: options.folder,
    live: true,
    async setUp(context): Promise<MountedVolume> {
      const path = options.inMemory ? context.memoryDirectory : context.directory;
      const payload = await options.payload(context);
      const group = context.pod.spec.securityContext?.fsGroup;
      const time = new Date(context.clock.now()).toISOString().replaceAll(/[-:T]/g, "_").replace(/Z$/, "");
      await writeAtomically(path, payload, { stamp: time.replaceAll(".", "_"), group });
      return { path, readOnly: true, ownable: false };
    },
  };
}

export const configMapVolume = payloadVolume({
  field: "configMap",
  folder: "kubernetes.io~configmap",
  inMemory: false,
  payload: async (context) => {
    const { name = "", items, optional, defaultMode: mode = defaultMode } = context.volume.configMap ?? {};
    return configMapPayload(name, { items, optional, mode, context });
  },
});

export const secretVolume = payloadVolume({
  field: "secret",
  folder: "kubernetes.io~secret",
  inMemory: true,
  payload: async (context) => {
    const { secretName = "", items, optional, defaultMode: mode = defaultMode } = context.volume.secret ?? {};
    return secretPayload(secretName, { items, optional, mode, context });
  },
});

export const downwardVolume = payloadVolume({
  field: "downwardAPI",
  folder: "kubernetes.io~downward-api",
  inMemory: true,
  payload: async (context) => {
    const { items = [], defaultMode: mode = defaultMode } = context.volume.downwardAPI ?? {};
    return downwardPayload(items, { mode, context });
  },
});

export const projectedVolume = payloadVolume({
  field: "projected",
  folder: "kubernetes.io~projected",
  inMemory: true,
  payload: async (context) => {
    const { sources = [], defaultMode: mode = defaultMode } = context.volume.projected ?? {};
    const files: Payload[] = [];
    const problems: string[] = [];
    for (const source of sources) {
      try {
        files.push(await projected(source, { mode, context }));
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (problems.length === 1) throw new Error(problems[0]);
    if (problems.length > 1) throw new Error(`[${problems.join(", ")}]`);
    return new Map(files.flatMap((payload) => [...payload]));
  },
});

type Source = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];

async function projected(
  source: Source,
  options: { readonly mode: number; readonly context: VolumeContext },
): Promise<Payload> {
  if (source.configMap)
    return configMapPayload(source.configMap.name ?? "", { ...options, ...pick(source.configMap) });
  if (source.secret) return secretPayload(source.secret.name ?? "", { ...options, ...pick(source.secret) });
  if (source.downwardAPI) return downwardPayload(source.downwardAPI.items ?? [], options);
  if (source.serviceAccountToken) return tokenPayload(source.serviceAccountToken, options);
  throw new Error("this projection is not supported");
}

const pick = ({
  items,
  optional,
}: {
  items?: NonNullable<Volume["configMap"]>["items"];
  optional?: boolean;
}) => ({
  items,
  optional,
});
