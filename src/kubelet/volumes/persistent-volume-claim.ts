import { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import { checkHostPath } from "./host-path.ts";
import type { MountedVolume, VolumeContext, VolumePlugin } from "./volume-plugin.ts";

/** A claim bound to a volume that is a path of this node. */
export const claimVolume: VolumePlugin = {
  field: "persistentVolumeClaim",
  folder: "kubernetes.io~local-volume",
  live: false,
  async setUp(context) {
    const source = context.volume.persistentVolumeClaim;
    return mountClaim(context, { name: source?.claimName ?? "", readOnly: source?.readOnly ?? false });
  },
};

/** A claim that was made for the pod. */
export const ephemeralVolume: VolumePlugin = {
  field: "ephemeral",
  folder: "kubernetes.io~local-volume",
  live: false,
  setUp: (context) =>
    mountClaim(context, { name: `${context.pod.metadata.name}-${context.volume.name}`, readOnly: false }),
};

async function mountClaim(
  { client, pod }: VolumeContext,
  { name, readOnly }: { name: string; readOnly: boolean },
): Promise<MountedVolume> {
  const claim = await client.get(PersistentVolumeClaim, { namespace: pod.metadata.namespace, name });
  if (claim.status?.phase !== "Bound" || !claim.spec.volumeName)
    throw new Error(`PVC ${claim.metadata.namespace}/${name} is not bound`);
  const volume = await client.get(PersistentVolume, { name: claim.spec.volumeName });
  const { hostPath, local } = volume.spec;
  if (hostPath) await checkHostPath(hostPath);
  else if (local) await checkHostPath({ path: local.path, type: "Directory" });
  else throw new Error(`no volume plugin matched for volume ${volume.metadata.name}`);
  return { path: hostPath?.path ?? local?.path ?? "", readOnly, ownable: local !== undefined };
}
