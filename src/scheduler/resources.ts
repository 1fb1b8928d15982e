import { milliValueOf, valueOf } from "../apimachinery/index.ts";
import type { Container, Pod, PodSpec } from "../api/types/core-v1.ts";

/** Amounts of resources: CPU in thousandths of a core, the others in their base unit (bytes, pieces). */
export type Amounts = Readonly<Record<string, number>>;
type Quantities = Readonly<Record<string, string>>;

/** What a pod without a request counts as in scoring, so that such pods spread too. */
const assumedForScoring: Amounts = { cpu: 100, memory: 200 * 1024 * 1024 };

export function amountOf(name: string, quantity: string): number {
  return name === "cpu" ? milliValueOf(quantity) : valueOf(quantity);
}

export function amountsOf(quantities: Quantities | undefined): Amounts {
  const amounts: Record<string, number> = {};
  for (const [name, quantity] of Object.entries(quantities ?? {})) amounts[name] = amountOf(name, quantity);
  return amounts;
}

export function addTo(total: Record<string, number>, amounts: Amounts, sign: 1 | -1 = 1): void {
  for (const name in amounts) total[name] = (total[name] ?? 0) + sign * (amounts[name] ?? 0);
}

function raiseTo(total: Record<string, number>, amounts: Amounts): void {
  for (const name in amounts) total[name] = Math.max(total[name] ?? 0, amounts[name] ?? 0);
}

/** What a pod asks of a node: `requested` counts in fitting, `scored` in scoring. */
export interface PodRequest {
  readonly requested: Amounts;
  readonly scored: Amounts;
}

interface Known {
  readonly request: PodRequest;
  readonly spec: PodSpec;
}

/** By the list of containers, which the versions of a pod share unless it changes. */
const requests = new WeakMap<readonly Container[], Known>();

/** The pod's request, worked out once for all its versions that ask for the same. */
export function requestOf({ spec }: Pod): PodRequest {
  const known = requests.get(spec.containers);
  if (
    known !== undefined &&
    known.spec.initContainers === spec.initContainers &&
    known.spec.resources === spec.resources &&
    known.spec.overhead === spec.overhead
  )
    return known.request;
  const request = { requested: podAmounts(spec, {}), scored: podAmounts(spec, assumedForScoring) };
  requests.set(spec.containers, { request, spec });
  return request;
}

function podAmounts(spec: PodSpec, assumed: Amounts): Amounts {
  const ofContainer = (container: Container) => ({ ...assumed, ...amountsOf(container.resources.requests) });
  const total: Record<string, number> = {};
  for (const container of spec.containers) addTo(total, ofContainer(container));
  // Sidecars run beside all later init containers; other init containers run one at a time.
  const sidecars: Record<string, number> = {};
  const peak: Record<string, number> = {};
  for (const container of spec.initContainers ?? []) {
    const amounts = ofContainer(container);
    if (container.restartPolicy === "Always") {
      addTo(sidecars, amounts);
      addTo(total, amounts);
      raiseTo(peak, sidecars);
    } else {
      const together = { ...sidecars };
      addTo(together, amounts);
      raiseTo(peak, together);
    }
  }
  raiseTo(total, peak);
  Object.assign(total, amountsOf(spec.resources?.requests));
  addTo(total, amountsOf(spec.overhead));
  return total;
}
