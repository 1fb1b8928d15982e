import { unlessMissing } from "../api/index.ts";
import { systemRandom } from "../base/index.ts";
import type { Clock, Logger, Milliseconds, Random } from "../base/index.ts";
import { ApiError, microTimestampOf } from "../apimachinery/index.ts";
import type { ObjectKey } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Lease } from "../api/types/coordination-v1.ts";
import type { LeaseSpec } from "../api/types/coordination-v1.ts";

export interface LeaderElectionOptions {
  readonly client: Client;
  /** Where the Lease is. */
  readonly lease: ObjectKey & { readonly namespace: string };
  /** Who this candidate is; unique among them. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
  /** How long others wait before they take over a lease that is not renewed; default 15 s. */
  readonly leaseDuration?: Milliseconds;
  /** How long the leader tries to renew before it gives up; default 10 s, below `leaseDuration`. */
  readonly renewDeadline?: Milliseconds;
  /** How long between attempts; default 2 s. */
  readonly retryPeriod?: Milliseconds;
  /** Works while this candidate leads; its signal aborts when leadership ends. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly onNewLeader?: (identity: string) => void;
}

/** What a candidate has seen of the lease: expiry is judged by the own clock, from when it last saw a change. */
interface Observation {
  readonly record: string;
  readonly at: Milliseconds;
}

type Attempt =
  | { readonly type: "create"; readonly spec: LeaseSpec }
  | { readonly type: "update"; readonly spec: LeaseSpec }
  | { readonly type: "wait"; readonly holder: string };

/** What a candidate does about the lease that it sees. */
export function planAttempt(
  seen: { readonly spec: LeaseSpec | undefined; readonly observedAt: Milliseconds },
  candidate: { readonly identity: string; readonly leaseDuration: Milliseconds; readonly now: Milliseconds },
): Attempt {
  const { identity, leaseDuration, now } = candidate;
  const time = microTimestampOf(now);
  const leaseDurationSeconds = Math.max(1, Math.trunc(leaseDuration / 1000));
  const fresh = { holderIdentity: identity, leaseDurationSeconds, acquireTime: time, renewTime: time };
  if (seen.spec === undefined) return { type: "create", spec: { ...fresh, leaseTransitions: 0 } };
  const { holderIdentity = "", acquireTime = time, leaseTransitions = 0 } = seen.spec;
  if (holderIdentity === identity) {
    return { type: "update", spec: { ...seen.spec, ...fresh, acquireTime, leaseTransitions } };
  }
  const held = (seen.spec.leaseDurationSeconds ?? 0) * 1000;
  if (holderIdentity !== "" && seen.observedAt + held > now) return { type: "wait", holder: holderIdentity };
  return { type: "update", spec: { ...seen.spec, ...fresh, leaseTransitions: leaseTransitions + 1 } };
}

/**
 * Waits to become the leader, leads until the lease is lost or the signal aborts, and gives the lease back. Settles
 * when leadership has ended; call again to stand again.
 */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const candidate = new Candidate(options);
  if (!(await candidate.acquire(signal))) return;
  // It may have aborted while the lease was taken.
  if (signal.aborted) return candidate.release();
  const leading = new AbortController();
  const end = () => leading.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const work = options.lead(leading.signal);
  const renewing = candidate
    .renew(leading.signal)
    .finally(() => leading.abort(new Error("leader election lost")));
  try {
    await work;
  } finally {
    leading.abort();
    signal.removeEventListener("abort", end);
    await renewing;
    await candidate.release();
  }
}

class Candidate {
  private readonly options: LeaderElectionOptions;
  private observation: Observation = { record: "", at: 0 };
  private leader = "";

  constructor(options: LeaderElectionOptions) {
    this.options = options;
  }

  private get retryPeriod(): Milliseconds {
    return this.options.retryPeriod ?? 2_000;
  }

  /** Tries until it holds the lease; false when the signal aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random = systemRandom } = this.options;
    const jitter = 1.2;
    while (!signal.aborted) {
      if (await this.attempt(signal)) return true;
      const delay = this.retryPeriod * (1 + jitter * random.next());
      await clock.sleep(delay, signal).catch(() => undefined);
    }
    return false;
  }

  /** Renews until the signal aborts or the deadline passes without success. */
  async renew(signal: AbortSignal): Promise<void> {
    const { clock, renewDeadline = 10_000 } = this.options;
    let deadline = clock.now() + renewDeadline;
    while (!signal.aborted) {
      await clock.sleep(this.retryPeriod, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (await this.attempt(signal)) deadline = clock.now() + renewDeadline;
      else if (clock.now() >= deadline) return;
    }
  }

  /** Empties the lease so that others need not wait. */
  async release(): Promise<void> {
    const { client, lease, identity, logger } = this.options;
    try {
      const current = await client.get(Lease, lease);
      if (current.spec?.holderIdentity !== identity) return;
      const spec = { ...current.spec, holderIdentity: "", leaseDurationSeconds: 1 };
      await client.update(Lease, { ...current, spec });
    } catch (error) {
      logger.warn("failed to release the lease", { lease: lease.name, error: ApiError.from(error).message });
    }
  }

  private async attempt(signal: AbortSignal): Promise<boolean> {
    const { client, lease, identity, clock, logger, leaseDuration = 15_000 } = this.options;
    try {
      const current = await this.read(signal);
      const now = clock.now();
      const record = JSON.stringify(current?.spec ?? null);
      if (record !== this.observation.record) this.observation = { record, at: now };
      const seen = {
        spec: current === undefined ? undefined : (current.spec ?? {}),
        observedAt: this.observation.at,
      };
      const plan = planAttempt(seen, { identity, leaseDuration, now });
      if (plan.type === "wait") {
        this.report(plan.holder);
        return false;
      }
      const { spec } = plan;
      if (current) await client.update(Lease, { ...current, spec }, { signal });
      else await client.create(Lease, { metadata: { ...lease }, spec }, { signal });
      this.report(identity);
      return true;
    } catch (error) {
      if (!signal.aborted)
        logger.debug("failed to renew or acquire", { error: ApiError.from(error).message });
      return false;
    }
  }

  private read(signal: AbortSignal): Promise<Lease | undefined> {
    return unlessMissing(this.options.client.get(Lease, this.options.lease, { signal }));
  }

  private report(holder: string): void {
    if (holder === this.leader) return;
    this.leader = holder;
    this.options.onNewLeader?.(holder);
  }
}
