import type { FieldError } from "../../apimachinery/index.ts";
import { byteLength, FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { inRange, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { validateDriverName } from "../core/pod-spec/volume-sources.ts";
import { defineResource } from "../definition.ts";
import type { VolumeAttachmentSource, VolumeError } from "../types/storage-v1.ts";
import { VolumeAttachment } from "../types/storage-v1.ts";
import { validateInlineVolume } from "./inline-volume.ts";

const longestMetadata = 256 * 1024;
const longestErrorMessage = 1024;
const largestCode = 2 ** 31 - 1;
const path = FieldPath.root("spec");
const type = "io.k8s.api.storage.v1.VolumeAttachmentSpec";

/** The rules of volume attachments. */
export const volumeAttachmentDefinition = defineResource<VolumeAttachment>({
  resource: VolumeAttachment,
  returnsDeleted: true,
  requiresVersion: true,
  tracksGeneration: false,
  repeatedMetadataChecks: ["whole", "whole"],
  validate,
  validateCreate: validateNew,
  // Upstream looks at the whole twice when an attachment changes, and also when its status does.
  validateUpdate: (attachment, old, { subresource }) => [
    ...(subresource === "status" ? validate(attachment) : []),
    ...validate(attachment),
    ...immutableValue(path, { next: attachment.spec, old: old.spec, type }),
  ],
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    {
      ...column<VolumeAttachment>("Attacher", "Who attaches the volume", {
        value: ({ spec }) => spec.attacher ?? "",
      }),
      format: "name",
    },
    column("PV", "The volume", { value: ({ spec }) => spec.source?.persistentVolumeName ?? "" }),
    column("Node", "The node", { value: ({ spec }) => spec.nodeName ?? "" }),
    column("Attached", "Whether the volume is attached", {
      type: "boolean",
      value: ({ status }) => status?.attached ?? false,
    }),
    ageColumn,
  ],
});

function validate({ spec, status }: VolumeAttachment): FieldError[] {
  const { nodeName } = spec;
  const at = FieldPath.root("status");
  const errors = spec.attacher ? [] : [fieldErrors.required(path.child("attacher"))];
  errors.push(
    ...validateSource(spec.source ?? {}, path.child("source")),
    ...invalidFor(path.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName)),
  );
  let size = 0;
  for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) {
    size += byteLength(key) + byteLength(value);
  }
  if (size > longestMetadata) {
    errors.push(fieldErrors.tooLong(at.child("attachmentMetadata"), longestMetadata));
  }
  return [
    ...errors,
    ...validateVolumeError(status?.attachError, at.child("attachError")),
    ...validateVolumeError(status?.detachError, at.child("detachError")),
  ];
}

function validateSource(source: VolumeAttachmentSource, at: FieldPath): FieldError[] {
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = source;
  const why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inline === undefined && name === undefined) return [fieldErrors.required(at, why)];
  if (inline !== undefined && name !== undefined) return [fieldErrors.forbidden(at, why)];
  if (inline) return validateInlineVolume(inline, at.child("inlineVolumeSpec"));
  return name === ""
    ? [fieldErrors.required(at.child("persistentVolumeName"), "must specify non empty persistentVolumeName")]
    : [];
}

function validateVolumeError(error: VolumeError | undefined, at: FieldPath): FieldError[] {
  if (error === undefined) return [];
  // Upstream names the limit of something else.
  const tooLong = byteLength(error.message ?? "") > longestErrorMessage;
  return [
    ...(tooLong ? [fieldErrors.tooLong(at.child("message"), longestMetadata)] : []),
    ...inRange(at.child("errorCode"), error.errorCode, { from: 0, to: largestCode }),
  ];
}

/** What must hold of new attachments besides: older ones may be without. */
function validateNew({ spec }: VolumeAttachment): FieldError[] {
  const name = spec.source?.persistentVolumeName;
  return [
    ...validateDriverName(spec.attacher ?? "", path.child("attacher")),
    ...(name === undefined
      ? []
      : invalidFor(path.child("source", "persistentVolumeName"), name, isDNS1123Subdomain(name))),
  ];
}
