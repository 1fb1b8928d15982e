import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { createUnlessPresent, ignoreMissing, semanticallyEqual } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import type { ObjectReader } from "../reader.ts";
import type { ServedTable } from "../registry/served.ts";

/** Says that an APIService comes and goes with what is served. */
const automanagedLabel = "kube-aggregator.kubernetes.io/automanaged";
const labels = { [automanagedLabel]: "true" };
const retryDelay: Milliseconds = 1_000;

interface CustomServicesOptions {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What has to be done that each version of a custom resource's group has its APIService. */
export interface ServicePlan {
  readonly create: readonly { readonly name: string; readonly spec: APIService["spec"] }[];
  readonly update: readonly APIService[];
  readonly remove: readonly string[];
}

/** Plans it; APIServices that someone else made stay as they are. */
export function planServices(
  groupVersions: Iterable<{ readonly group: string; readonly version: string }>,
  present: readonly APIService[],
): ServicePlan {
  const wanted = new Map<string, APIService["spec"]>();
  for (const { group, version } of groupVersions) {
    const priorities = { groupPriorityMinimum: 1_000, versionPriority: 100 };
    wanted.set(`${version}.${group}`, { group, version, ...priorities });
  }
  const names = new Set(present.map(({ metadata }) => metadata.name));
  const managed = present.filter(({ metadata }) => metadata.labels?.[automanagedLabel] === "true");
  return {
    create: Array.from(wanted, ([name, spec]) => ({ name, spec })).filter(({ name }) => !names.has(name)),
    update: managed.flatMap((service) => {
      const spec = wanted.get(service.metadata.name);
      return spec === undefined || semanticallyEqual(service.spec, spec) ? [] : [{ ...service, spec }];
    }),
    remove: managed.map(({ metadata }) => metadata.name).filter((name) => !wanted.has(name)),
  };
}

/** Keeps the APIServices of custom resources until the signal aborts. */
export async function maintainCustomServices(
  options: CustomServicesOptions,
  signal: AbortSignal,
): Promise<void> {
  const { reader, served, clock, logger } = options;
  let wake: () => void = () => {};
  let dirty = true;
  const mark = () => {
    dirty = true;
    wake();
  };
  const ends = [served.onChange(mark), reader.subscribe(APIService, mark)];
  signal.addEventListener("abort", mark, { once: true });
  while (!signal.aborted) {
    const changed = new Promise<void>((resolve) => (wake = resolve));
    if (!dirty) await changed;
    if (signal.aborted) break;
    dirty = false;
    try {
      await keepServices(options);
    } catch (error) {
      // Whoever changed it meanwhile is looked at anew at once.
      if (ApiError.is(error, "Conflict")) mark();
      else {
        logger.warn("APIServices of custom resources could not be kept", { error });
        clock.after(retryDelay, mark);
      }
    }
  }
  for (const end of ends) end();
}

async function keepServices({ client, reader, served }: CustomServicesOptions): Promise<void> {
  const custom = Array.from(served.all()).filter((one) => one.custom);
  const plan = planServices(
    custom.map(({ resource }) => resource),
    reader.list(APIService),
  );
  await Promise.all([
    ...plan.create.map(({ name, spec }) =>
      createUnlessPresent(client, APIService, { metadata: { name, labels }, spec, status: {} }),
    ),
    ...plan.update.map((service) => ignoreMissing(client.update(APIService, service))),
    ...plan.remove.map((name) => ignoreMissing(client.delete(APIService, { name }))),
  ]);
}
