import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { nanosOf } from "../../common/amounts.ts";
import { invalidFor } from "../../common/checks.ts";
import { isQualifiedName } from "../../../apimachinery/index.ts";
import type {
  Container,
  PodSpec,
  PodStatus,
  ResourceList,
  ResourceRequirements,
} from "../../types/core-v1.ts";

const standardContainerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
const computeResources = ["cpu", "memory"] as const;

/** Checks the requests and limits of a container. */
export function validateResources(
  requirements: ResourceRequirements | undefined,
  path: FieldPath,
): FieldError[] {
  const limits = requirements?.limits ?? {};
  const requests = requirements?.requests ?? {};
  const errors: FieldError[] = [];
  for (const [name, quantity] of Object.entries(limits)) {
    errors.push(...validateAmount(path.child("limits"), { name, quantity }));
  }
  for (const [name, quantity] of Object.entries(requests)) {
    const at = path.child("requests");
    errors.push(...validateAmount(at, { name, quantity }));
    const limit = limits[name];
    if (limit === undefined) {
      if (!isOvercommitAllowed(name)) {
        errors.push(
          fieldErrors.required(path.child("limits"), "Limit must be set for non overcommitable resources"),
        );
      }
      continue;
    }
    const [asked, most] = [nanosOf(quantity) ?? 0n, nanosOf(limit) ?? 0n];
    if (asked !== most && !isOvercommitAllowed(name)) {
      errors.push(fieldErrors.invalid(at, quantity, `must be equal to ${name} limit of ${limit}`));
    } else if (asked > most) {
      errors.push(
        fieldErrors.invalid(at, quantity, `must be less than or equal to ${name} limit of ${limit}`),
      );
    }
  }
  return errors;
}

/** Quality of service by the containers' requests and limits. */
export function qualityOfService(spec: PodSpec): NonNullable<PodStatus["qosClass"]> {
  const sets: readonly (ResourceRequirements | undefined)[] = hasAmounts(spec.resources)
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
        (container: Container) => container.resources,
      );
  const requests = new Map<string, bigint>();
  const limits = new Map<string, bigint>();
  let guaranteed = true;
  for (const requirements of sets) {
    addAmounts(requests, requirements?.requests);
    const found = addAmounts(limits, requirements?.limits);
    if (found < computeResources.length) guaranteed = false;
  }
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const equal = [...requests].every(([name, amount]) => limits.get(name) === amount);
  return guaranteed && equal && requests.size === limits.size ? "Guaranteed" : "Burstable";
}

function hasAmounts(requirements: ResourceRequirements | undefined): boolean {
  return (
    Object.keys(requirements?.requests ?? {}).length + Object.keys(requirements?.limits ?? {}).length > 0
  );
}

function addAmounts(sums: Map<string, bigint>, list: ResourceList | undefined): number {
  let found = 0;
  for (const name of computeResources) {
    const quantity = list?.[name];
    const amount = quantity === undefined ? 0n : (nanosOf(quantity) ?? 0n);
    if (amount <= 0n) continue;
    found++;
    sums.set(name, (sums.get(name) ?? 0n) + amount);
  }
  return found;
}

function validateAmount(path: FieldPath, amount: { name: string; quantity: string }): FieldError[] {
  const { name, quantity } = amount;
  const errors = invalidFor(path, name, isQualifiedName(name));
  if (
    errors.length === 0 &&
    !name.includes("/") &&
    !standardContainerResources.has(name) &&
    !isHugePages(name)
  ) {
    errors.push(fieldErrors.invalid(path, name, "must be a standard resource for containers"));
  }
  const at = path.key(name);
  const nanos = nanosOf(quantity);
  if (nanos !== undefined && nanos < 0n) {
    errors.push(fieldErrors.invalid(at, quantity, "must be greater than or equal to 0"));
  }
  if (nanos !== undefined && isExtendedResource(name) && nanos % 10n ** 9n !== 0n) {
    errors.push(fieldErrors.invalid(at, quantity, "must be an integer"));
  }
  return errors;
}

const isHugePages = (name: string) => name.startsWith("hugepages-");

/** Whether the resource is of a domain of its own, not of Kubernetes. */
export const isExtendedResource = (name: string): boolean =>
  name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith("requests.");

const isOvercommitAllowed = (name: string) =>
  !isHugePages(name) && (!name.includes("/") || name.includes("kubernetes.io/"));
