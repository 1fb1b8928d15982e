import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label } from "../../../apimachinery/index.ts";
import { nanosOf } from "../../common/amounts.ts";
import { invalidFor } from "../../common/checks.ts";
import type {
  Container,
  PodSpec,
  PodStatus,
  ResourceClaim,
  ResourceList,
  ResourceRequirements,
} from "../../types/core-v1.ts";
import {
  compareAmounts,
  isHugePages,
  isOvercommitAllowed,
  validateAmount,
  validateContainerResourceName,
} from "../resource-names.ts";

const computeResources = ["cpu", "memory"] as const;

/** What requests and limits are checked against. */
export interface ResourceRules {
  /** Names of the pod's claims. */
  readonly claims: ReadonlySet<string>;
  /** Checks a resource's name; default: as for containers. */
  readonly name?: (name: string, path: FieldPath) => FieldError[];
}

/** Checks the requests and limits of a container or a pod. */
export function validateResources(
  requirements: ResourceRequirements | undefined,
  path: FieldPath,
  rules: ResourceRules,
): FieldError[] {
  if (requirements === undefined) return [];
  const checkName = rules.name ?? validateContainerResourceName;
  const { limits = {}, requests = {} } = requirements;
  const errors: FieldError[] = [];
  for (const name of Object.keys(limits)) {
    errors.push(...validateNamed(path.child("limits").key(name), { name, list: limits, checkName }));
  }
  for (const name of Object.keys(requests)) {
    const at = path.child("requests");
    errors.push(
      ...validateNamed(at.key(name), {
        name,
        list: requests,
        checkName,
        between: () => validateBelowLimit(path, name, requirements),
      }),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(fieldErrors.forbidden(path, "HugePages require cpu or memory"));
  }
  if (requirements.claims) {
    errors.push(...validateClaims(requirements.claims, path.child("claims"), rules.claims));
  }
  return errors;
}

interface Named {
  readonly name: string;
  readonly list: ResourceList;
  readonly checkName: (name: string, path: FieldPath) => FieldError[];
  /** What upstream checks before the sizes of pages. */
  readonly between?: () => FieldError[];
}

function validateNamed(path: FieldPath, { name, list, checkName, between }: Named): FieldError[] {
  const quantity = list[name] ?? "0";
  const errors = checkName(name, path);
  errors.push(...validateAmount(path, { name, quantity }));
  if (between) errors.push(...between());
  if (isHugePages(name) && !isWholePages(name, quantity)) {
    const why = `${quantity} is not positive integer multiple of ${name}`;
    errors.push(fieldErrors.invalid(path, quantity, why));
  }
  return errors;
}

function validateBelowLimit(
  path: FieldPath,
  name: string,
  { limits, requests }: ResourceRequirements,
): FieldError[] {
  const [request, limit] = [requests?.[name] ?? "0", limits?.[name]];
  const at = path.child("requests");
  if (limit === undefined) {
    const why = "Limit must be set for non overcommitable resources";
    return isOvercommitAllowed(name) ? [] : [fieldErrors.required(path.child("limits"), why)];
  }
  const order = compareAmounts(request, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) {
    return [fieldErrors.invalid(at, request, `must be equal to ${name} limit of ${limit}`)];
  }
  return order > 0
    ? [fieldErrors.invalid(at, request, `must be less than or equal to ${name} limit of ${limit}`)]
    : [];
}

function isWholePages(name: string, quantity: string): boolean {
  const page = nanosOf(name.slice("hugepages-".length)) ?? 0n;
  return page > 0n && page % 10n ** 9n === 0n && (nanosOf(quantity) ?? 0n) % page === 0n;
}

function validateClaims(
  claims: readonly ResourceClaim[],
  path: FieldPath,
  podClaims: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const at = path.index(index);
    if (!name) {
      errors.push(fieldErrors.required(at));
      continue;
    }
    if (seen.has(name)) errors.push(fieldErrors.duplicate(at, name));
    else {
      if (request) errors.push(...invalidFor(at.child("request"), request, isDNS1123Label(request)));
      const key = request ? `${name}/${request}` : name;
      if (seen.has(key)) errors.push(fieldErrors.duplicate(at, key));
      else if (!request) {
        // The whole claim after a request of it: each of these is there twice.
        for (const other of seen) {
          if (other.startsWith(`${name}/`)) errors.push(fieldErrors.duplicate(at, name));
        }
      }
      seen.add(key);
    }
    if (podClaims.has(name)) continue;
    const known = podClaims.size === 0 ? " which is empty" : `: ${[...podClaims].sort().join(", ")}`;
    const detail = `must be one of the names in pod.spec.resourceClaims${known}`;
    errors.push({ ...fieldErrors.notFound(at, name), detail });
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
