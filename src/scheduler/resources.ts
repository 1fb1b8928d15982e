import { milliValueOf, valueOf } from "../apimachinery/index.ts";
import type { Container, Pod } from "../api/types/core-v1.ts";

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

const requests = new WeakMap<Pod, PodRequest>();

/** The pod's request, worked out once for each version of the pod. */
export function requestOf(pod: Pod): PodRequest {
  const known = requests.get(pod);
  if (known) return known;
  const request = { requested: podAmounts(pod, {}), scored: podAmounts(pod, assumedForScoring) };
  requests.set(pod, request);
  return request;
}

function podAmounts(pod: Pod, assumed: Amounts): Amounts {
  const ofContainer = (container: Container) => ({ ...assumed, ...amountsOf(container.resources.requests) });
  const total: Record<string, number> = {};
  for (const container of pod.spec.containers) addTo(total, ofContainer(container));
  // Sidecars run beside all later init containers; other init containers run one at a time.
  const sidecars: Record<string, number> = {};
  const peak: Record<string, number> = {};
  for (const container of pod.spec.initContainers ?? []) {
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
  Object.assign(total, amountsOf(pod.spec.resources?.requests));
  addTo(total, amountsOf(pod.spec.overhead));
  return total;
}
