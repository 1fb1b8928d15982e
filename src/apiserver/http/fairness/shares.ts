import type { PriorityLevelConfigurationSpec } from "../../../api/types/flowcontrol-v1.ts";

/** The seats of a priority level: its own, what it keeps when others borrow, and the most that it may have. */
export interface SeatLimits {
  readonly nominal: number;
  readonly lowest: number;
  readonly highest: number;
}

const percent = 100;
const defaultShares = 30;

const sharesOf = ({ limited, exempt }: PriorityLevelConfigurationSpec): number =>
  limited ? (limited.nominalConcurrencyShares ?? defaultShares) : (exempt?.nominalConcurrencyShares ?? 0);

/** The server's seats, shared out as the levels' shares say. */
export function seatLimits(
  specs: readonly PriorityLevelConfigurationSpec[],
  seats: number,
): readonly SeatLimits[] {
  const total = specs.reduce((sum, spec) => sum + sharesOf(spec), 0);
  return specs.map((spec) => {
    const nominal = total === 0 ? 0 : Math.ceil((seats * sharesOf(spec)) / total);
    const { lendablePercent = 0 } = spec.limited ?? spec.exempt ?? {};
    const borrowing = spec.limited?.borrowingLimitPercent;
    const lendable = Math.round((nominal * lendablePercent) / percent);
    const borrowable = borrowing === undefined ? seats : Math.round((nominal * borrowing) / percent);
    return { nominal, lowest: nominal - lendable, highest: nominal + borrowable };
  });
}

/** The part of its seats that one request of a level may take. */
const widestPart = 0.15;

/** The most seats that one request of a level may take: few enough that all queues of a flow get on. */
export const widestRequest = (nominal: number, handSize: number): number =>
  Math.max(1, Math.min(Math.ceil(nominal * widestPart), Math.floor(nominal / handSize)));

/** How much of its seats a level has needed since they were last shared out. */
export interface SeatDemand {
  readonly highWatermark: number;
  readonly average: number;
  readonly deviation: number;
  /** The envelope of the demand: it follows a rise at once and a fall slowly. */
  readonly smoothed: number;
}

export const noDemand: SeatDemand = { highWatermark: 0, average: 0, deviation: 0, smoothed: 0 };

const smoothing = 0.977;

/** The demand with what was seen in one more period. */
export function demandAfter(
  before: SeatDemand,
  seen: { readonly highest: number; readonly average: number; readonly deviation: number } | undefined,
): SeatDemand {
  if (!seen) return before;
  const { highest, average, deviation } = seen;
  const envelope = average + deviation;
  const smoothed = Math.max(envelope, smoothing * before.smoothed + (1 - smoothing) * envelope);
  return { highWatermark: highest, average, deviation, smoothed };
}

/** A level on the day of the sharing out. */
export interface Sharer {
  readonly limits: SeatLimits;
  readonly exempt: boolean;
  readonly demand: SeatDemand;
  /** The seats it has now. */
  readonly current: number;
}

export interface SharedOut {
  readonly seats: readonly number[];
  /** What each level aims at; exempt ones at what they need. */
  readonly targets: readonly number[];
  /** The part of its target that each level gets where nothing bounds it. */
  readonly fraction: number;
}

/** Seats of levels for the next period: what lies idle with some is lent to those that need more (KEP-1040). */
export function shareOut(levels: readonly Sharer[]): SharedOut {
  const needed = levels.map(({ limits, exempt, demand }) => {
    const high = Math.ceil(demand.highWatermark);
    // The exempt take what they need, from the others.
    return Math.max(limits.lowest, exempt ? high : Math.min(limits.nominal, high));
  });
  const targets = levels.map(({ exempt, demand }, index) =>
    exempt ? needed[index]! : Math.max(needed[index]!, demand.smoothed),
  );
  const sum = (valueOf: (level: Sharer, index: number) => number) =>
    levels.reduce((total, level, index) => total + valueOf(level, index), 0);
  const sumOfLimited = (valueOf: (level: Sharer, index: number) => number) =>
    sum((level, index) => (level.exempt ? 0 : valueOf(level, index)));
  const left =
    sum(({ limits }) => limits.nominal) - sum(({ exempt }, index) => (exempt ? needed[index]! : 0));
  const lowest = sumOfLimited(({ limits }) => limits.lowest);
  const sumNeeded = sumOfLimited((_, index) => needed[index]!);
  const withLimited = (seatsOf: (level: Sharer, index: number) => number) =>
    levels.map((level, index) => (level.exempt ? needed[index]! : seatsOf(level, index)));
  if (left <= lowest) return { seats: withLimited(({ limits }) => limits.lowest), targets, fraction: 0 };
  if (left <= sumNeeded) {
    const part = (left - lowest) / (sumNeeded - lowest);
    const seats = withLimited(({ limits }, index) =>
      Math.round(limits.lowest + (needed[index]! - limits.lowest) * part),
    );
    return { seats, targets, fraction: 0 };
  }
  const claims = levels.flatMap(({ exempt, limits }, index) =>
    exempt ? [] : [{ target: targets[index]!, lowest: needed[index]!, highest: limits.highest }],
  );
  const found = allocate(left, claims);
  if (!found) return { seats: withLimited(({ current }) => current), targets, fraction: 0 };
  let next = 0;
  return { seats: withLimited(() => Math.round(found.parts[next++]!)), targets, fraction: found.fraction };
}

interface Claim {
  readonly target: number;
  readonly lowest: number;
  readonly highest: number;
}

const smallestTarget = 0.001;
const tolerance = 1e-7;

/**
 * Parts that add up to the sum, each the same fraction of its target as far as its bounds allow; undefined when the
 * bounds do not allow the sum.
 */
export function allocate(
  sum: number,
  claims: readonly Claim[],
): { readonly parts: readonly number[]; readonly fraction: number } | undefined {
  const targetOf = ({ target }: Claim) => Math.max(target, smallestTarget);
  const partAt = (claim: Claim, fraction: number) =>
    Math.min(Math.max(fraction * targetOf(claim), claim.lowest), claim.highest);
  const sumAt = (fraction: number) => claims.reduce((total, claim) => total + partAt(claim, fraction), 0);
  // Between two bounds that come into play the sum grows evenly.
  const bounds = claims
    .flatMap((claim) => [claim.lowest / targetOf(claim), claim.highest / targetOf(claim)])
    .sort((one, other) => one - other);
  const most = bounds.at(-1) ?? 0;
  if (sumAt(0) > sum + tolerance || sumAt(most) < sum - tolerance) return undefined;
  let low = 0;
  let high = most;
  for (const bound of bounds) {
    if (sumAt(bound) >= sum) {
      high = bound;
      break;
    }
    low = bound;
  }
  const [from, to] = [sumAt(low), sumAt(high)];
  const fraction = to === from ? high : low + ((high - low) * (sum - from)) / (to - from);
  return { parts: claims.map((claim) => partAt(claim, fraction)), fraction };
}
