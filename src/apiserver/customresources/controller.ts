import { ApiError } from "../../apimachinery/index.ts";
import type { Resource } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { cleanupFinalizer, ignoreMissing } from "../../api/index.ts";
import { CustomResourceDefinition } from "../../api/types/apiextensions-v1.ts";
import type { Timer } from "../../base/index.ts";
import { HookCallError, type PostToHook } from "../admission/webhooks/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { Core } from "../registry/context.ts";
import { deepEqual } from "../registry/equal.ts";
import { restamp } from "../registry/served.ts";
import { install } from "../server/install.ts";
import { remoteVersions } from "./conversion/index.ts";
import { definitionStatus, holds, withCondition, type Said } from "./definition-status.ts";
import { customVersion, knownTo, type CustomVersion } from "./served-version.ts";

/** How long what could not be done waits until it is tried again. */
const retryAfter = 1_000;

/** What is served of a definition. */
interface Installed {
  /** What it was made of. */
  readonly of: string;
  readonly resources: readonly Resource[];
  readonly prefix: string;
}

interface Parts {
  readonly core: Core;
  readonly reader: ObjectReader;
  readonly client: Client;
  /** Calls the webhooks that convert; undefined: none can be called. */
  readonly post: PostToHook | undefined;
}

const terminating = (status: "True" | "False", reason: string, message: string): Said => ({
  type: "Terminating",
  status,
  reason,
  message,
});

const unreachable: PostToHook = () =>
  Promise.reject(new HookCallError("this server has no way to call webhooks"));

/** Serves what CustomResourceDefinitions define, from when their names are accepted until their last object is gone. */
export async function serveCustomResources(parts: Parts): Promise<{ close(): Promise<void> }> {
  const custom = new CustomResources(parts);
  if (parts.core.served.of(CustomResourceDefinition)) await custom.start();
  return custom;
}

class CustomResources {
  readonly #parts: Parts;
  readonly #installed = new Map<string, Installed>();
  readonly #byGroup = new NamesByGroup();
  readonly #waiting = new Set<string>();
  readonly #timers = new Set<Timer>();
  #working: Promise<void> | undefined;
  #stop: (() => void) | undefined;
  readonly #ending = new AbortController();
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Serves all there is already, and follows what becomes of it from then on. */
  async start(): Promise<void> {
    const { reader } = this.#parts;
    for (const definition of reader.list(CustomResourceDefinition)) {
      this.#byGroup.add(definition.metadata.name);
      if (holds(definition, "Established")) await this.#install(definition);
      if (!isSettled(definition)) this.#enqueue(definition.metadata.name);
    }
    this.#stop = reader.subscribe(CustomResourceDefinition, ({ object, old }) => {
      const name = (object ?? old)?.metadata.name;
      if (name === undefined) return;
      if (object) this.#byGroup.add(name);
      else this.#byGroup.delete(name);
      this.#enqueue(name);
    });
  }

  /** Settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ending.abort();
    this.#stop?.();
    for (const timer of this.#timers) timer.cancel();
    await this.#working;
  }

  #enqueue(name: string): void {
    if (this.#isClosed) return;
    this.#waiting.add(name);
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** One after another: two that want the same name must not both get it. */
  async #work(): Promise<void> {
    // Whoever has told of the change goes on first.
    await Promise.resolve();
    for (const name of this.#waiting) {
      this.#waiting.delete(name);
      if (this.#isClosed) return;
      try {
        await this.#sync(name);
      } catch (error) {
        // What has changed meanwhile comes again by itself.
        if (ApiError.is(error, "Conflict") || ApiError.is(error, "NotFound")) continue;
        this.#parts.core.logger.error("A custom resource definition could not be followed", { name, error });
        this.#later(name);
      }
    }
  }

  #later(name: string): void {
    const timer = this.#parts.core.clock.after(retryAfter, () => {
      this.#timers.delete(timer);
      this.#enqueue(name);
    });
    this.#timers.add(timer);
  }

  async #sync(name: string): Promise<void> {
    const { reader, core } = this.#parts;
    const definition = reader.get(CustomResourceDefinition, { name });
    if (!definition) {
      this.#uninstall(name);
      return this.#reconsider(name);
    }
    const status = definitionStatus(definition, { others: this.#othersOf(name), now: core.clock.now() });
    const planned = { ...definition, status };
    if (holds(planned, "Established")) await this.#install(planned);
    if (status !== definition.status) {
      await this.#update(planned);
      return this.#reconsider(name);
    }
    const { deletionTimestamp, finalizers } = definition.metadata;
    if (deletionTimestamp && finalizers?.includes(cleanupFinalizer)) await this.#finalize(definition);
  }

  /** Names that one definition does not use any more may be what another has waited for. */
  #reconsider(name: string): void {
    for (const { metadata, status } of this.#othersOf(name)) {
      const lacks = status.conditions?.some(
        ({ type, status: is }) => type === "NamesAccepted" && is !== "True",
      );
      if (lacks) this.#enqueue(metadata.name);
    }
  }

  /** The other definitions of the same group. */
  #othersOf(name: string): readonly CustomResourceDefinition[] {
    return Array.from(this.#byGroup.namesBeside(name))
      .filter((other) => other !== name)
      .flatMap((other) => this.#parts.reader.get(CustomResourceDefinition, { name: other }) ?? []);
  }

  async #update(definition: CustomResourceDefinition): Promise<void> {
    await this.#parts.client.update(CustomResourceDefinition, definition, { subresource: "status" });
  }

  async #install(definition: CustomResourceDefinition): Promise<void> {
    const { core } = this.#parts;
    const { metadata, spec, status } = definition;
    const { uid, generation, deletionTimestamp } = metadata;
    const of = JSON.stringify([uid, generation, deletionTimestamp, status.acceptedNames]);
    const before = this.#installed.get(metadata.name);
    if (before?.of === of) return;
    const made = new Map(
      spec.versions.map((version) => [version.name, customVersion(definition, version, core)]),
    );
    const stored = made.get(spec.versions.find(({ storage }) => storage)?.name ?? "");
    if (!stored) return;
    const { post = unreachable } = this.#parts;
    const { random, conversionUse: use } = core;
    const parts = { post, random, use, signal: this.#ending.signal };
    const isRemote = spec.conversion?.strategy === "Webhook";
    const versionOf = isRemote
      ? remoteVersions(definition, { made: made.values(), stored, parts })
      : ({ version }: CustomVersion) => version;
    const versions = spec.versions
      .filter(({ served }) => served)
      .flatMap(({ name }) => made.get(name) ?? [])
      .map(versionOf);
    await install(core, {
      versions,
      stored: stored.version.resource,
      custom: true,
      convert(object, _, to) {
        const target = made.get(to.version);
        if (!target || target === stored) return restamp(object, to);
        // What is stored is read by its own schema first.
        return knownTo(restamp(stored.version.fromStored(object), to), target.node);
      },
    });
    const resources = versions.map(({ resource }) => resource);
    for (const old of before?.resources ?? []) {
      if (!resources.some(({ version, plural }) => version === old.version && plural === old.plural)) {
        core.served.remove(old);
      }
    }
    const prefix = `/registry/${spec.group}/${status.acceptedNames.plural}/`;
    this.#installed.set(metadata.name, { of, resources, prefix });
  }

  #uninstall(name: string): void {
    const { core } = this.#parts;
    const installed = this.#installed.get(name);
    if (!installed) return;
    this.#installed.delete(name);
    for (const resource of installed.resources) core.served.remove(resource);
    core.caches.forget(installed.prefix);
  }

  /** Removes what a definition that is to go has defined, and lets it go when nothing is left. */
  async #finalize(definition: CustomResourceDefinition): Promise<void> {
    const { name } = definition.metadata;
    const { client, core } = this.#parts;
    const { resources = [] } = this.#installed.get(name) ?? {};
    // What goes as it is stored nobody need convert.
    const isStored = (one: Resource) => core.served.of(one)?.storage.stored.version === one.version;
    const resource = resources.find(isStored) ?? resources[0];
    if (!holds(definition, "Established") || !resource) {
      return this.#release(definition, "NeverEstablished", "resource was never established");
    }
    const said = terminating("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
    const now = core.clock.now();
    const conditions = withCondition(definition.status.conditions, said, now);
    if (conditions !== definition.status.conditions) {
      return this.#update({ ...definition, status: { ...definition.status, conditions } });
    }
    await client.deleteCollection(resource, {});
    const left = core.served.of(resource)?.storage.cache.size ?? 0;
    if (left > 0) return this.#later(name);
    await this.#release(definition, "InstanceDeletionCompleted", "removed all instances");
  }

  async #release(definition: CustomResourceDefinition, reason: string, message: string): Promise<void> {
    const { metadata, status } = definition;
    const { finalizers = [], ...rest } = metadata;
    const kept = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    const now = this.#parts.core.clock.now();
    const conditions = withCondition(status.conditions, terminating("False", reason, message), now);
    const released = {
      ...definition,
      metadata: { ...rest, ...(kept.length > 0 ? { finalizers: kept } : {}) },
      status: { ...status, conditions },
    };
    await ignoreMissing(this.#update(released));
  }
}

/** Whether there is nothing to be done about a definition as long as nothing changes. */
function isSettled(definition: CustomResourceDefinition): boolean {
  const { metadata, spec, status } = definition;
  const isNamed = holds(definition, "Established") && holds(definition, "NamesAccepted");
  return isNamed && metadata.deletionTimestamp === undefined && deepEqual(spec.names, status.acceptedNames);
}

/** Names of definitions, `plural.group`, by their groups: what happens in one group is no matter to the others. */
class NamesByGroup {
  readonly #names = new Map<string, Set<string>>();

  add(name: string): void {
    const group = groupOf(name);
    this.#names.set(group, (this.#names.get(group) ?? new Set()).add(name));
  }

  delete(name: string): void {
    const group = groupOf(name);
    const names = this.#names.get(group);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(group);
  }

  namesBeside(name: string): Iterable<string> {
    return this.#names.get(groupOf(name)) ?? [];
  }
}

const groupOf = (name: string): string => name.slice(name.indexOf(".") + 1);
