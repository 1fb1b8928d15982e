import type { Clock, Logger, Random } from "../../base/index.ts";
import { silentLogger, systemClock, systemRandom } from "../../base/index.ts";
import { resourceFacts, schemas } from "../../api/index.ts";
import type { Client, UserInfo } from "../../api/index.ts";
import type { Store } from "../../store/index.ts";
import { AdmissionChain } from "../admission/chain.ts";
import type { AdmissionPlugin } from "../admission/plugin.ts";
import type { PostToHook } from "../admission/webhooks/index.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { serveCustomResources } from "../customresources/index.ts";
import type { ObjectReader } from "../reader.ts";
import { CacheSet } from "../registry/cache-set.ts";
import { CodedStore } from "../registry/coded-store.ts";
import type { AnswerHandler, Core, PostHandler, WriteHook } from "../registry/context.ts";
import { ServedTable } from "../registry/served.ts";
import { SharedLeases } from "../registry/shared-leases.ts";
import { createStoredForm } from "../registry/stored-form.ts";
import type { StorageMediaType } from "../registry/stored-form.ts";
import { createValueMarker } from "../registry/unique-values.ts";
import { bindPod, createBinding } from "../registry/subresources.ts";
import { evictPod } from "../registry/eviction.ts";
import { builtInRules } from "./built-ins.ts";
import { createLocalClient } from "./client.ts";
import { installBuiltIns } from "./install.ts";
import type { BuiltIns } from "./install.ts";
import { createReader } from "./reader.ts";
import { servedResources } from "./runtime-config.ts";
import type { RuntimeConfig } from "./runtime-config.ts";

/** What the parts that are made after the caches get to build on. */
export interface ServerParts {
  /** Its values are JSON. */
  readonly store: Store;
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  /** A client of the server itself, for the group `system:masters`. */
  readonly client: Client;
}

export interface ApiServerOptions {
  readonly store: Store;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly authorizer: Authorizer | ((parts: ServerParts) => Authorizer);
  readonly admission?: readonly AdmissionPlugin[] | ((parts: ServerParts) => readonly AdmissionPlugin[]);
  /** Creates at subresources, by `group/plural/subresource`, e.g. `/serviceaccounts/token`. */
  readonly postHandlers?:
    | Readonly<Record<string, PostHandler>>
    | ((parts: ServerParts) => Readonly<Record<string, PostHandler>>);
  /** Resources that are answered and never stored, by `group/plural`. */
  readonly answers?:
    | Readonly<Record<string, AnswerHandler>>
    | ((parts: ServerParts & { readonly authorizer: Authorizer }) => Readonly<Record<string, AnswerHandler>>);
  /** What is allocated beside writes, by `group/plural`. */
  readonly writeHooks?: (parts: ServerParts) => Readonly<Record<string, WriteHook>>;
  /** Turns API versions and resources on and off; default: what upstream serves by default. */
  readonly runtimeConfig?: RuntimeConfig | undefined;
  /** Calls the webhooks that convert custom resources; absent: none can be called. */
  readonly postToWebhook?: ((parts: ServerParts) => PostToHook) | undefined;
  /** Resources that nobody stores, by `group/plural`: their objects are made when they are asked for. */
  readonly computed?: BuiltIns["computed"];
  /** How built-in kinds are written to the store; either is read. Default: JSON. */
  readonly storageMediaType?: StorageMediaType | undefined;
  /** The built-in resources; default: all of them. */
  readonly builtIns?: Partial<BuiltIns>;
}

/** The API server's core: resources, caches and rules, without a network. */
export interface ApiServer {
  readonly core: Core;
  readonly reader: ObjectReader;
  client(user: UserInfo): Client;
  /** From now on clients are what is made of them: to record what they ask for. */
  observeClients(wrap: (client: Client, user: UserInfo) => Client): void;
  /** Ends what the server runs; the store stays open. */
  close(): Promise<void>;
}

/** The server as it acts for itself. */
export const loopbackUser: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

/** Nobody hears of what is used, until metrics do. */
const unobserved = (): Pick<Core, "storageUse" | "conversionUse" | "ruleUse"> => ({
  storageUse: { observer: undefined },
  conversionUse: { observer: undefined },
  ruleUse: { observer: undefined },
});

/** Fills the caches from the store and answers when every resource can be served. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  const served = new ServedTable();
  const builtIns: BuiltIns = {
    facts: servedResources(resourceFacts, options.runtimeConfig),
    schemas,
    ...builtInRules,
    ...(options.computed ? { computed: options.computed } : {}),
    ...options.builtIns,
  };
  const mark = options.store.currentRevision ? createValueMarker(random) : undefined;
  const mediaType = options.storageMediaType ?? "application/json";
  const kinds = { ...builtIns, facts: options.builtIns?.facts ?? resourceFacts };
  const store = new CodedStore(options.store, createStoredForm(kinds, { mediaType, logger, mark }));
  const caches = new CacheSet(store, {
    onBroken: (error) => logger.error("The watch of the store ended", { error }),
  });
  await installBuiltIns({ served, caches }, builtIns);
  const reader = createReader(served);
  const postHandlers = new Map<string, PostHandler>([
    ["/pods/binding", bindPod],
    ["/pods/eviction", evictPod],
  ]);
  const answers = new Map<string, AnswerHandler>([["/bindings", createBinding]]);
  const writeHooks = new Map<string, WriteHook>();
  const core: Mutable<Core> = {
    store,
    ...unobserved(),
    caches,
    leases: new SharedLeases(store, clock),
    served,
    clock,
    random,
    logger,
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
    admission: new AdmissionChain([]),
    writeHooks,
    postHandlers,
    answers,
  };
  const parts: ServerParts = { store, reader, served, client: createLocalClient(core, loopbackUser) };
  const { authorizer, admission = [], answers: given = {} } = options;
  core.authorizer = typeof authorizer === "function" ? authorizer(parts) : authorizer;
  core.admission = new AdmissionChain(typeof admission === "function" ? admission(parts) : admission);
  const answered = typeof given === "function" ? given({ ...parts, authorizer: core.authorizer }) : given;
  for (const [name, handler] of Object.entries(answered)) answers.set(name, handler);
  const { postHandlers: posts = {} } = options;
  const posted = typeof posts === "function" ? posts(parts) : posts;
  for (const [name, handler] of Object.entries(posted)) postHandlers.set(name, handler);
  for (const [name, hook] of Object.entries(options.writeHooks?.(parts) ?? {})) writeHooks.set(name, hook);
  const custom = await serveCustomResources({ ...parts, core, post: options.postToWebhook?.(parts) });
  let wrapped = (client: Client, _user: UserInfo): Client => client;
  return {
    core,
    reader,
    client: (user) => wrapped(createLocalClient(core, user), user),
    observeClients: (wrap) => void (wrapped = wrap),
    close: () => custom.close().then(() => caches.close()),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
