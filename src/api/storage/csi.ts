import { FieldPath } from "../../apimachinery/index.ts";
import { immutable } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { CSIDriverSpec } from "../types/storage-v1.ts";
import { CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment } from "../types/storage-v1.ts";

/** The rules of CSI drivers. */
export const csiDriverDefinition = defineResource<CSIDriver>({
  resource: CSIDriver,
  returnsDeleted: true,
  defaults: (driver) => ({
    ...driver,
    spec: fill<CSIDriverSpec>(
      {
        ...driver.spec,
        volumeLifecycleModes: driver.spec?.volumeLifecycleModes?.length
          ? driver.spec.volumeLifecycleModes
          : ["Persistent"],
      },
      {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: "ReadWriteOnceWithFSType",
        requiresRepublish: false,
        seLinuxMount: false,
      },
    ),
  }),
  validateUpdate: ({ spec }, old) => {
    const path = FieldPath.root("spec");
    return [
      ...immutable(path.child("attachRequired"), spec.attachRequired, old.spec.attachRequired),
      ...immutable(path.child("fsGroupPolicy"), spec.fsGroupPolicy, old.spec.fsGroupPolicy),
      ...immutable(
        path.child("volumeLifecycleModes"),
        spec.volumeLifecycleModes,
        old.spec.volumeLifecycleModes,
      ),
    ];
  },
  columns: [
    nameColumn,
    column("AttachRequired", "Whether volumes are attached before they are mounted", {
      type: "boolean",
      value: ({ spec }) => spec.attachRequired ?? true,
    }),
    column("PodInfoOnMount", "Whether the driver hears of the pod", {
      type: "boolean",
      value: ({ spec }) => spec.podInfoOnMount ?? false,
    }),
    column("StorageCapacity", "Whether the driver says how much room it has", {
      type: "boolean",
      value: ({ spec }) => spec.storageCapacity ?? false,
    }),
    column("TokenRequests", "Tokens that the driver wants of pods", {
      value: ({ spec }) =>
        (spec.tokenRequests ?? []).map((request) => request.audience).join(",") || "<unset>",
    }),
    column("RequiresRepublish", "Whether volumes are published again and again", {
      type: "boolean",
      value: ({ spec }) => spec.requiresRepublish ?? false,
    }),
    column("Modes", "Lives of volumes that the driver knows", {
      value: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
    }),
    ageColumn,
  ],
});

/** The rules of CSI nodes. */
export const csiNodeDefinition = defineResource<CSINode>({
  resource: CSINode,
  returnsDeleted: true,
  columns: [
    nameColumn,
    column("Drivers", "How many drivers the node has", {
      type: "integer",
      value: ({ spec }) => (spec?.drivers ?? []).length,
    }),
    ageColumn,
  ],
});

/** The rules of records of storage capacity. */
export const csiStorageCapacityDefinition = defineResource<CSIStorageCapacity>({
  resource: CSIStorageCapacity,
  validateUpdate: (record, old) => [
    ...immutable(FieldPath.root("nodeTopology"), record.nodeTopology, old.nodeTopology),
    ...immutable(FieldPath.root("storageClassName"), record.storageClassName, old.storageClassName),
  ],
  columns: [
    nameColumn,
    column("StorageClassName", "Class of the storage", { value: (record) => record.storageClassName ?? "" }),
    column("Capacity", "How much room there is", { value: (record) => record.capacity ?? "<unset>" }),
    ageColumn,
  ],
});

/** The rules of volume attachments. */
export const volumeAttachmentDefinition = defineResource<VolumeAttachment>({
  resource: VolumeAttachment,
  returnsDeleted: true,
  validateUpdate: (attachment, old) => immutable(FieldPath.root("spec"), attachment.spec, old.spec),
  prepareForStatusUpdate: (attachment, old) => ({ ...attachment, spec: old.spec }),
  columns: [
    nameColumn,
    column("Attacher", "Who attaches the volume", { value: ({ spec }) => spec.attacher ?? "" }),
    column("PV", "The volume", { value: ({ spec }) => spec.source?.persistentVolumeName ?? "" }),
    column("Node", "The node", { value: ({ spec }) => spec.nodeName ?? "" }),
    column("Attached", "Whether the volume is attached", {
      type: "boolean",
      value: ({ status }) => status?.attached ?? false,
    }),
    ageColumn,
  ],
  tracksGeneration: false,
});
