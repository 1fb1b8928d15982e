import type { Clock, Logger, Milliseconds, Random } from "../../base/index.ts";
import { ApiError, timestampOf } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { APIService, type APIServiceCondition } from "../../api/types/apiregistration-v1.ts";
import { Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { isAvailable, type AvailabilityMetrics } from "./availability-metrics.ts";
import { checkDiscovery, findMissing, type Finding } from "./check.ts";
import { Slots } from "./slots.ts";
import { agentOf, type ProxyIdentity, type RegisteredApis } from "./registered-apis.ts";

/** What nobody announces is noticed after this time at the latest. */
const resync: Milliseconds = 30_000;
/** Servers that are asked at once whether they are there: those that hang do not hold up all others. */
const checksAtOnce = 5;
const firstRetry: Milliseconds = 5;
const longestRetry: Milliseconds = 30_000;

interface AvailabilityOptions {
  readonly apis: RegisteredApis;
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: ProxyIdentity | undefined;
  readonly metrics: AvailabilityMetrics;
}

/** What needs no check. */
const local: Finding = {
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

/** Says of registered APIs whether their servers answer, until the signal aborts; settles when all checks have ended. */
export async function maintainAvailability(options: AvailabilityOptions, signal: AbortSignal): Promise<void> {
  const checks = new Checks(options, signal);
  try {
    await checks.run();
  } finally {
    checks.close();
  }
}

/** At most one check of each API at a time; what changes meanwhile is looked at again. */
class Checks {
  private readonly options: AvailabilityOptions;
  private readonly signal: AbortSignal;
  private readonly agent;
  private readonly slots = new Slots(checksAtOnce);
  private readonly running = new Map<string, Promise<void>>();
  private readonly again = new Set<string>();
  private readonly failures = new Map<string, number>();
  /** What was said last of each. */
  private readonly told = new Map<string, string>();
  private readonly subscriptions: readonly (() => void)[];

  constructor(options: AvailabilityOptions, signal: AbortSignal) {
    const { reader, identity } = options;
    this.options = options;
    this.signal = signal;
    this.agent = agentOf(identity, { servername: "", rejectUnauthorized: false });
    const ofService = (object: { readonly namespace?: string; readonly name?: string }) => {
      for (const { name, service } of options.apis.all()) {
        if (service.namespace === object.namespace && service.name === object.name) this.check(name);
      }
    };
    this.subscriptions = [
      reader.subscribe(APIService, ({ object, old }) => {
        if (!object) return this.forget(old?.metadata.name ?? "");
        const { name } = object.metadata;
        // What someone else says of it is no news of the server, and is set right.
        const isForeign = textOf(availabilityOf(object)) !== this.told.get(name);
        if (isForeign || JSON.stringify(object.spec) !== JSON.stringify(old?.spec)) this.check(name);
      }),
      reader.subscribe(Service, ({ object, old }) => {
        const metadata = (object ?? old)?.metadata;
        if (metadata) ofService(metadata);
      }),
      reader.subscribe(EndpointSlice, ({ object, old }) => {
        const { namespace = "", labels } = (object ?? old)?.metadata ?? {};
        ofService({ namespace, name: labels?.["kubernetes.io/service-name"] ?? "" });
      }),
    ];
  }

  async run(): Promise<void> {
    const { clock, apis } = this.options;
    while (!this.signal.aborted) {
      for (const { name } of apis.all()) this.check(name);
      await clock.sleep(resync, this.signal).catch(() => undefined);
    }
    await Promise.all(this.running.values());
  }

  close(): void {
    for (const end of this.subscriptions) end();
    this.agent.destroy();
  }

  private forget(name: string): void {
    this.failures.delete(name);
    this.told.delete(name);
  }

  private check(name: string): void {
    if (this.signal.aborted) return;
    if (this.running.has(name)) return void this.again.add(name);
    const { logger } = this.options;
    const checking = this.checkOnce(name)
      .catch((error: unknown) => {
        if (this.signal.aborted) return;
        logger.warn("The availability of an API could not be told", { api: name, error });
        this.retry(name);
      })
      .finally(() => {
        this.running.delete(name);
        if (this.again.delete(name)) this.check(name);
      });
    this.running.set(name, checking);
  }

  private async checkOnce(name: string): Promise<void> {
    const { reader, random, clock } = this.options;
    const object = reader.get(APIService, { name });
    if (!object) return;
    if (!object.spec.service) return this.tell(name, local);
    const api = this.options.apis.find(object.spec.group ?? "", object.spec.version ?? "");
    if (!api) return;
    const parts = { reader, random, clock, agent: this.agent };
    const { signal } = this;
    const found =
      findMissing(reader, api) ?? (await this.slots.run(() => checkDiscovery(parts, { api, signal })));
    if (signal.aborted) return;
    await this.tell(name, found);
    if (found.reason === "FailedDiscoveryCheck") this.retry(name);
    else this.failures.delete(name);
  }

  private retry(name: string): void {
    const failures = this.failures.get(name) ?? 0;
    this.failures.set(name, failures + 1);
    this.options.clock.after(Math.min(firstRetry * 2 ** failures, longestRetry), () => this.check(name));
  }

  private async tell(name: string, found: Finding): Promise<void> {
    const { reader, client, clock } = this.options;
    const object = reader.get(APIService, { name });
    if (!object) return;
    const known = availabilityOf(object);
    this.told.set(name, textOf(found));
    if (textOf(known) === textOf(found)) return;
    const { status, reason, message } = found;
    const lastTransitionTime =
      (known?.status === status ? known.lastTransitionTime : undefined) ?? timestampOf(clock.now());
    const condition = { type: "Available", status, lastTransitionTime, reason, message };
    const before = object.status.conditions ?? [];
    const conditions = known
      ? before.map((one) => (one === known ? condition : one))
      : [...before, condition];
    try {
      await client.update(
        APIService,
        { ...object, status: { ...object.status, conditions } },
        { subresource: "status" },
      );
      if (isAvailable(object) && status !== "True") this.options.metrics.lost(name, reason);
    } catch (error) {
      // Someone else changed it: that is looked at again anyway.
      if (!(error instanceof ApiError) || ![404, 409].includes(error.code)) throw error;
      if (error.code === 409) this.again.add(name);
    }
  }
}

const availabilityOf = ({ status }: APIService): APIServiceCondition | undefined =>
  status.conditions?.find(({ type }) => type === "Available");

const textOf = (found: Finding | APIServiceCondition | undefined): string =>
  JSON.stringify([found?.status, found?.reason, found?.message]);
