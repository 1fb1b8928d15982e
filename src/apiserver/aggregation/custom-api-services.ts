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
    wanted.set(nameOf({ group, version }), { group, version, ...priorities });
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
  let due = namesOfAll(options);
  const mark = (...names: readonly string[]) => {
    for (const name of names) due.add(name);
    wake();
  };
  const ends = [
    served.onChange((change) => {
      if (change.served.custom) mark(nameOf(change.served.resource));
    }),
    reader.subscribe(APIService, ({ object, old }) => mark((object ?? old)?.metadata.name ?? "")),
  ];
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const changed = new Promise<void>((resolve) => (wake = resolve));
    if (due.size === 0) await changed;
    if (signal.aborted) break;
    const names = Array.from(due);
    due = new Set();
    try {
      await keepServices(options, names);
    } catch (error) {
      // Whoever changed it meanwhile is looked at anew at once.
      if (ApiError.is(error, "Conflict")) mark(...names);
      else {
        logger.warn("APIServices of custom resources could not be kept", { error });
        clock.after(retryDelay, () => mark(...names));
      }
    }
  }
  for (const end of ends) end();
}

const nameOf = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  `${version}.${group}`;

/** The names of all that may have to be made or removed. */
function namesOfAll({ reader, served }: CustomServicesOptions): Set<string> {
  const custom = Array.from(served.all()).filter((one) => one.custom);
  return new Set([
    ...custom.map(({ resource }) => nameOf(resource)),
    ...reader.list(APIService).map(({ metadata }) => metadata.name),
  ]);
}

/** Keeps those of the names: what others need does not count for them. */
async function keepServices(options: CustomServicesOptions, names: readonly string[]): Promise<void> {
  const { client, reader, served } = options;
  const custom = names.flatMap((name) => {
    const group = name.slice(name.indexOf(".") + 1);
    const found = Array.from(served.inGroup(group)).find(
      (one) => one.custom && nameOf(one.resource) === name,
    );
    return found ? [found.resource] : [];
  });
  const plan = planServices(
    custom,
    names.flatMap((name) => reader.get(APIService, { name }) ?? []),
  );
  await Promise.all([
    ...plan.create.map(({ name, spec }) =>
      createUnlessPresent(client, APIService, { metadata: { name, labels }, spec, status: {} }),
    ),
    ...plan.update.map((service) => ignoreMissing(client.update(APIService, service))),
    ...plan.remove.map((name) => ignoreMissing(client.delete(APIService, { name }))),
  ]);
}
