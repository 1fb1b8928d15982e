import type { Clock, Logger, Milliseconds, Random } from "../../base/index.ts";
import { ApiError, isNamespaceTerminating, keyString, parseKeyString } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { WorkQueue, createEventRecorder } from "../../client/index.ts";
import type { InformerFactory } from "../../client/index.ts";
import { workersOf } from "./controller.ts";
import type { Controller, ControllerContext, ControllerSettings } from "./controller.ts";

/** A controller as the manager knows it. */
export interface ControllerEntry {
  /** The name that flags use, e.g. `deployment-controller`. */
  readonly name: string;
  /** Its service account in kube-system; absent: it acts as the manager itself. */
  readonly account?: string;
  /** The source of its events; default: the account, or the name. */
  readonly component?: string;
  readonly create: (context: ControllerContext) => Controller;
}

/** Who the manager is when it acts for itself. */
export const managerUser = "system:kube-controller-manager";

export interface ManagerOptions {
  /** A client that acts as the user of this name. */
  readonly clientFor: (user: string) => Client;
  readonly informers: InformerFactory;
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs controllers until the signal aborts; settles when all have stopped and their events are sent. */
export async function runEntries(
  entries: readonly ControllerEntry[],
  options: ManagerOptions,
  signal: AbortSignal,
): Promise<void> {
  const runs = entries.map((entry) => runEntry(entry, options, signal));
  await Promise.all(runs);
}

async function runEntry(entry: ControllerEntry, options: ManagerOptions, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  const { account } = entry;
  const client = options.clientFor(
    account === undefined ? managerUser : `system:serviceaccount:kube-system:${account}`,
  );
  const logger = options.logger.named(entry.name);
  const component = entry.component ?? account ?? entry.name;
  const events = createEventRecorder({ client, component, clock, random, logger });
  const { informers, settings } = options;
  const controller = entry.create({ client, informers, events, clock, random, logger, settings });
  await runController(controller, { clock, logger }, signal);
  await events.stop();
}

/** Feeds a controller with the keys that its watches wake. */
export async function runController(
  controller: Controller,
  options: { clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = options;
  const queue = new WorkQueue({ clock });
  const wake = (key: Parameters<typeof keyString>[0], after: Milliseconds = 0) =>
    queue.addAfter(keyString(key), after);
  const disconnects = controller.watches.map((source) => source.connect(wake));
  const beside = controller.run?.(signal) ?? Promise.resolve();
  try {
    await Promise.all(controller.watches.map((source) => source.whenSynced(signal)));
    await queue.run({ workers: workersOf(controller), signal, work: (key) => work(key) });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const disconnect of disconnects) disconnect();
    await beside;
  }

  async function work(key: string): Promise<void> {
    try {
      const outcome = await controller.reconcile(parseKeyString(key), signal);
      queue.forget(key);
      if (outcome.type === "again") queue.addAfter(key, outcome.after);
    } catch (error) {
      if (signal.aborted) return;
      queue.retry(key);
      report(logger, { key, error });
    }
  }
}

/** Conflicts, objects just gone and namespaces on their way are the normal course of shared writing; everything else deserves a line. */
function report(logger: Logger, failure: { key: string; error: unknown }): void {
  const { key, error } = failure;
  const old = ApiError.is(error, "Conflict") || ApiError.is(error, "NotFound");
  if (ApiError.is(error) && (old || isNamespaceTerminating(error)))
    logger.debug("the view was old, trying again", { key, error: error.message });
  else if (ApiError.is(error)) logger.warn("reconciliation failed", { key, error: error.message });
  else logger.error("reconciliation failed", { key, error });
}
