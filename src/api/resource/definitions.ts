import { apiVersionOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import type { ResourceDefinition } from "../definition.ts";
import { defineResource } from "../definition.ts";
import * as v1 from "../types/resource-v1.ts";
import * as beta1 from "../types/resource-v1beta1.ts";
import * as beta2 from "../types/resource-v1beta2.ts";

interface Request {
  readonly allocationMode?: string;
  readonly count?: number;
}
interface Claim extends KubernetesObject {
  readonly status: { readonly allocation?: object; readonly reservedFor?: readonly unknown[] };
}
interface Slice extends KubernetesObject {
  readonly spec: {
    readonly driver: string;
    readonly nodeName?: string;
    readonly allNodes?: boolean;
    readonly nodeSelector?: object;
    readonly pool: { readonly name: string };
  };
}
type DeviceRequests = readonly (v1.DeviceRequest & Request)[];

/** The rules of dynamic resources, in all versions. */
export const dynamicResourceDefinitions = [
  classDefinition(v1.DeviceClass),
  classDefinition(beta2.DeviceClass),
  classDefinition(beta1.DeviceClass),
  claimDefinition(v1.ResourceClaim),
  claimDefinition(beta2.ResourceClaim),
  claimDefinition(beta1.ResourceClaim),
  templateDefinition(v1.ResourceClaimTemplate),
  templateDefinition(beta2.ResourceClaimTemplate),
  templateDefinition(beta1.ResourceClaimTemplate),
  sliceDefinition(v1.ResourceSlice),
  sliceDefinition(beta2.ResourceSlice),
  sliceDefinition(beta1.ResourceSlice),
] as const;

function classDefinition<T extends KubernetesObject>(resource: Resource<T>): ResourceDefinition<T> {
  return defineResource<T>({ resource, columns: [nameColumn, ageColumn], tracksGeneration: true });
}

function claimDefinition<T extends Claim>(resource: Resource<T>): ResourceDefinition<T> {
  return defineResource<T>({
    resource,
    defaults: (claim) => changeAt(claim, ["spec", "devices"]),
    columns: [
      nameColumn,
      column<T>("State", "Whether the claim has devices and users", { value: stateText }),
      ageColumn,
    ],
    tracksGeneration: false,
  });
}

function templateDefinition<T extends KubernetesObject>(resource: Resource<T>): ResourceDefinition<T> {
  return defineResource<T>({
    resource,
    defaults: (template) => changeAt(template, ["spec", "spec", "devices"]),
    columns: [nameColumn, ageColumn],
    tracksGeneration: false,
  });
}

function sliceDefinition<T extends Slice>(resource: Resource<T>): ResourceDefinition<T> {
  return defineResource<T>({
    resource,
    columns: [
      nameColumn,
      column<T>("Node", "The node that has the devices", { value: ({ spec }) => nodeText(spec) }),
      column<T>("Driver", "The driver of the devices", { value: ({ spec }) => spec.driver ?? "" }),
      column<T>("Pool", "The pool that the devices are part of", {
        value: ({ spec }) => spec.pool?.name ?? "",
      }),
      ageColumn,
    ],
    unknownField: (field) =>
      `field label not supported for ${apiVersionOf(resource)}, Kind=${resource.kind}: ${field}`,
    selectableFields: {
      "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
      "spec.driver": ({ spec }) => spec.driver ?? "",
    },
    tracksGeneration: true,
  });
}

/** Fills in how many devices are asked for, in requests beneath a path. */
function changeAt<T extends object>(object: T, path: readonly string[]): T {
  const [first, ...rest] = path;
  if (first === undefined) {
    return mapField(object as { readonly requests?: DeviceRequests }, "requests", (requests) =>
      mapList(requests, defaultRequest),
    ) as T;
  }
  const value = (object as Readonly<Record<string, unknown>>)[first];
  if (typeof value !== "object" || value === null) return object;
  const changed = changeAt(value, rest);
  return changed === value ? object : { ...object, [first]: changed };
}

function defaultRequest(request: v1.DeviceRequest & Request): v1.DeviceRequest & Request {
  const subrequests = mapField(request, "firstAvailable", (list) => mapList(list, defaultCount));
  const exactly = mapField(subrequests, "exactly", defaultCount);
  return "deviceClassName" in exactly ? defaultCount(exactly) : exactly;
}

function defaultCount<R extends Request>(request: R): R {
  const filled: Request = fill<Request>(request, { allocationMode: "ExactCount" });
  return (filled.allocationMode === "ExactCount" && !filled.count ? { ...filled, count: 1 } : filled) as R;
}

function stateText(claim: Claim): string {
  const states: string[] = [];
  if (claim.metadata.deletionTimestamp !== undefined) states.push("deleted");
  if (claim.status?.allocation === undefined) {
    if (states.length === 0) states.push("pending");
  } else {
    states.push("allocated");
    if ((claim.status.reservedFor ?? []).length > 0) states.push("reserved");
  }
  return states.join(",");
}

function nodeText(spec: Slice["spec"]): string {
  if (spec.nodeName) return spec.nodeName;
  if (spec.allNodes === true) return "<all>";
  return spec.nodeSelector === undefined ? "<unset>" : "<selector>";
}
