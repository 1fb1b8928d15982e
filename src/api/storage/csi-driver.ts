import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing, omit } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { CSIDriverSpec, TokenRequest } from "../types/storage-v1.ts";
import { CSIDriver } from "../types/storage-v1.ts";

const groupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];
const lifecycleModes = ["Persistent", "Ephemeral"];
const shortestTokenSeconds = 600;
const longestTokenSeconds = 2 ** 32;
const shortestUpdatePeriodSeconds = 10;

/** The rules of CSI drivers. */
export const csiDriverDefinition = defineResource<CSIDriver>({
  resource: CSIDriver,
  returnsDeleted: true,
  requiresVersion: true,
  tracksGeneration: true,
  defaults: (driver) => ({ ...driver, spec: defaultSpec(driver.spec) }),
  // VolumeLimitScaling is a gate that is closed.
  prepareForCreate: (driver) => ({ ...driver, spec: omit(driver.spec, "preventPodSchedulingIfMissing") }),
  prepareForUpdate: (driver, old) =>
    old.spec.preventPodSchedulingIfMissing === undefined
      ? { ...driver, spec: omit(driver.spec, "preventPodSchedulingIfMissing") }
      : driver,
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate: ({ spec }, { spec: old }) => {
    const path = FieldPath.root("spec");
    return [
      // The field of upstream's message is not quite that of the API.
      ...immutable(path.child("attachedRequired"), spec.attachRequired, old.attachRequired),
      ...immutable(path.child("volumeLifecycleModes"), spec.volumeLifecycleModes, old.volumeLifecycleModes),
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
      value: ({ spec: { tokenRequests = [] } }) =>
        tokenRequests.length === 0 ? "<unset>" : tokenRequests.map(({ audience }) => audience).join(","),
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

function defaultSpec(spec: CSIDriverSpec | undefined): CSIDriverSpec {
  const filled = fillMissing<CSIDriverSpec>(spec ?? {}, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    requiresRepublish: false,
    seLinuxMount: false,
  });
  return filled.volumeLifecycleModes?.length ? filled : { ...filled, volumeLifecycleModes: ["Persistent"] };
}

function validateSpec(spec: CSIDriverSpec): FieldError[] {
  const path = FieldPath.root("spec");
  const { nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets: inSecrets } = spec;
  const errors = optionalOneOf(path.child("fsGroupPolicy"), spec.fsGroupPolicy, groupPolicies);
  errors.push(...validateTokenRequests(spec.tokenRequests ?? [], path.child("tokenRequests")));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    errors.push(...optionalOneOf(path.child("volumeLifecycleModes"), mode, lifecycleModes));
  }
  if (period !== undefined && period < shortestUpdatePeriodSeconds) {
    const at = path.child("nodeAllocatableUpdatePeriodSeconds");
    const why = `must be greater than or equal to ${shortestUpdatePeriodSeconds} seconds`;
    errors.push(fieldErrors.invalid(at, period, why));
  }
  if (inSecrets !== undefined && !spec.tokenRequests?.length) {
    const why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
    errors.push(fieldErrors.invalid(path.child("serviceAccountTokenInSecrets"), inSecrets, why));
  }
  return errors;
}

function validateTokenRequests(requests: readonly TokenRequest[], path: FieldPath): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience, expirationSeconds: seconds }, index) => {
    const at = path.index(index);
    if (audiences.has(audience)) return [fieldErrors.duplicate(at.child("audience"), audience)];
    audiences.add(audience);
    if (seconds === undefined) return [];
    const wrong = (why: string) => [fieldErrors.invalid(at.child("expirationSeconds"), seconds, why)];
    if (seconds < shortestTokenSeconds) return wrong("may not specify a duration less than 10 minutes");
    return seconds > longestTokenSeconds ? wrong("may not specify a duration larger than 2^32 seconds") : [];
  });
}
