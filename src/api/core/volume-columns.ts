/** Where the storage class was before it had a field. */
export const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** Access modes as kubectl abbreviates them, each once, in this order. */
export function accessModesText(modes: readonly string[] | undefined): string {
  const set = new Set(modes);
  return Object.entries(shortModes)
    .filter(([mode]) => set.has(mode))
    .map(([, short]) => short)
    .join(",");
}
