import { setMaxListeners } from "node:events";
import { invariant, type Clock, type Logger, type Random } from "../base/index.ts";
import type { Client, UserInfo } from "../api/index.ts";
import { ServiceAccount } from "../api/types/core-v1.ts";
import { createApiServer, reviewAnswers, tokenRequests } from "../apiserver/index.ts";
import {
  componentStatuses,
  keepClientAuthority,
  maintainFlowControl,
  publishApiServices,
  runFlowControl,
  runIdentityLease,
} from "../apiserver/bootstrap/index.ts";
import { createAggregation, type Aggregation, type ProxyIdentity } from "../apiserver/aggregation/index.ts";
import type { RequestHeaderOptions } from "../apiserver/http/index.ts";
import type {
  ApiServer,
  ApiServerOptions,
  ObjectReader,
  RuntimeConfig,
  ServedTable,
} from "../apiserver/index.ts";
import {
  admissionPolicies,
  admissionWebhooks,
  defaultAdmission,
  kindFinder,
  policyTypeCheck,
} from "../apiserver/admission/index.ts";
import type { AdmissionSelection } from "../apiserver/admission/index.ts";
import { webhookPost } from "../apiserver/connect/index.ts";
import {
  bootstrapTokens,
  createAuthenticator,
  createTokenIssuer,
  unionTokens,
} from "../apiserver/authentication/index.ts";
import type { Authenticator, ServiceAccountKey, TokenIssuer } from "../apiserver/authentication/index.ts";
import {
  administratorAuthorizer,
  createEscalationGuard,
  createNodeAuthorizer,
  createRbacAuthorizer,
  unionAuthorizer,
} from "../apiserver/authorization/index.ts";
import type { Authorizer, RbacAuthorizer } from "../apiserver/authorization/index.ts";
import { createTransportClient } from "../client/http/index.ts";
import { createEventRecorder, createInformerFactory, runLeaderElection } from "../client/index.ts";
import { runControllers, type ControllerSettings, type RunControllersOptions } from "../controllers/index.ts";
import { runScheduler } from "../scheduler/index.ts";
import { startCompactor, type Store } from "../store/index.ts";
import { bootstrapCluster, bootstrapNamespaces } from "./bootstrap.ts";
import { catalogOf } from "./catalog.ts";
import { routedClient } from "./routed-client.ts";
import { untilAnswered } from "./until-answered.ts";
import { serviceParts, type ServiceNetwork, type ServiceParts } from "./services.ts";
import { keepTokenTracking, tokenUseNote } from "./token-tracking.ts";

export interface ControlPlaneOptions extends ServiceNetwork {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Signs service account tokens. */
  readonly serviceAccountKey: ServiceAccountKey;
  /** Whom tokens name as their issuer, a URL. */
  readonly issuer: string;
  /** PEM that pods trust the API server by. */
  readonly rootCertificateAuthority: string;
  /** The machine's name, by which the server's identity lease is told from others; absent: there is none. */
  readonly hostname?: string;
  /** Turns API versions and resources on and off. */
  readonly runtimeConfig?: RuntimeConfig | undefined;
  /** Which admission plugins run besides, or instead of, the usual ones. */
  readonly admission?: AdmissionSelection;
  /** Signs base64-encoded certificate requests; absent: none is signed. */
  readonly signCertificate?: ControllerSettings["signCertificate"];
  /** Service accounts get token secrets, as before v1.24. */
  readonly legacyServiceAccountTokens?: boolean;
  /** How built-in kinds are written to the store; default: JSON. */
  readonly storageMediaType?: ApiServerOptions["storageMediaType"];
  /** Forgets history in the store until the signal aborts; default: as the store's only server. */
  readonly compact?: (signal: AbortSignal) => Promise<void>;
  /** The store is shared with other control planes: of their controllers and schedulers those work that are elected. */
  readonly electsLeaders?: boolean;
  /** Proxies in front of the API server that say who asks; aggregated servers learn of them. */
  readonly requestHeader?: RequestHeaderOptions | undefined;
  /** As whom the API server shows itself to extension servers; absent: as nobody. */
  readonly proxyIdentity?: ProxyIdentity | undefined;
}

/** A control plane without a network: API server, controllers and scheduler over one store. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly authenticator: Authenticator;
  readonly tokens: TokenIssuer;
  /** Passes requests on to extension servers; works while the control plane runs. */
  readonly aggregation: Aggregation;
  /** A client that acts as the user; it also reaches what extension servers serve. */
  clientFor(user: UserInfo): Client;
  /** Runs controllers and scheduler until the signal aborts; settles when all have stopped. */
  run(signal: AbortSignal): Promise<void>;
  /** Ends what is left after `run` has settled; the store stays open. */
  close(): Promise<void>;
}

/** What the API server's parts are made of, in the order in which they can be. */
interface Security {
  readonly tokens: TokenIssuer;
  readonly rbac: RbacAuthorizer;
  readonly authorizer: Authorizer;
}

function createSecurity(
  { reader, client }: { readonly reader: ObjectReader; readonly client: Client },
  options: ControlPlaneOptions,
): Security {
  const { serviceAccountKey: key, issuer, clock, random, logger } = options;
  const noteSecretUse = tokenUseNote({ client, clock, logger });
  const rbac = createRbacAuthorizer({ reader });
  return {
    tokens: createTokenIssuer({ key, issuer, clock, random, reader, noteSecretUse }),
    rbac,
    authorizer: unionAuthorizer([administratorAuthorizer, createNodeAuthorizer({ reader }), rbac]),
  };
}

/** Makes the API server ready to answer, with everything a new cluster has. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, clock, random, logger, issuer } = options;
  const apiAudiences = [issuer];
  let security: Security | undefined;
  const services = serviceParts(options);
  let running = false;
  const secured = (): Security => {
    invariant(security, "the authorizer is made before everything that uses it");
    return security;
  };
  const server = await createApiServer({
    store,
    clock,
    random,
    logger: logger.named("apiserver"),
    runtimeConfig: options.runtimeConfig,
    storageMediaType: options.storageMediaType,
    computed: { "/componentstatuses": () => componentStatuses({ running }) },
    authorizer: (parts) => (security = createSecurity(parts, options)).authorizer,
    admission: (parts) => admissionPlugins(parts, { ...options, ...secured() }),
    postToWebhook: ({ reader }) => webhookPost({ reader, clock, random }),
    answers: () => {
      const { authorizer, rbac, tokens } = secured();
      return reviewAnswers({ authorizer, rbac, tokens, apiAudiences });
    },
    postHandlers: ({ reader }) => tokenRequests({ issuer: secured().tokens, reader }),
    writeHooks: (parts) => ({ "/services": services.allocator(parts) }),
  });
  const { tokens } = secured();
  await publishServerObjects(server, { ...options, services });
  const aggregated = aggregatedBy(server, options);
  const { aggregation, clientFor } = aggregated;
  return {
    server,
    tokens,
    clientFor,
    aggregation,
    authenticator: createAuthenticator({
      tokens: unionTokens([tokens, bootstrapTokens({ reader: server.reader, clock })]),
      apiAudiences,
    }),
    run: async (signal) => {
      running = true;
      await Promise.all([
        runComponents({ options, server, tokens, ...aggregated }, signal),
        services.run(server, { client: server.client(serverUser), signal }),
      ]);
      running = false;
    },
    close: async () => {
      aggregation.close();
      await server.close();
    },
  };
}

/** What extension servers serve by way of the server, and clients that reach them too. */
function aggregatedBy(server: ApiServer, { proxyIdentity: identity }: ControlPlaneOptions) {
  const aggregation = createAggregation({ server, client: server.client(serverUser), identity });
  const clientFor = (user: UserInfo): Client =>
    routedClient({
      local: server.client(user),
      remote: createTransportClient(aggregation.transportFor(user)),
      isRemote: (resource) => aggregation.serves(resource),
    });
  return { aggregation, clientFor };
}

/** Makes what a new cluster has, where it is missing; namespaces first, as others live in them. */
async function publishServerObjects(
  server: ApiServer,
  options: ControlPlaneOptions & { readonly services: ServiceParts },
): Promise<void> {
  const { services } = options;
  const client = server.client(serverUser);
  const { reader } = server;
  await untilAnswered(() => bootstrapNamespaces(client), options);
  const steps = [
    () => bootstrapCluster(client),
    () => services.publish(client, reader),
    () => maintainFlowControl({ client, reader }),
    () => publishApiServices({ client, reader, served: server.core.served }),
  ];
  await Promise.all(steps.map((step) => untilAnswered<unknown>(step, options)));
}

/** Tells aggregated servers whom to trust, where there is an authority to know clients by. */
async function tellTrust(
  { client, reader }: ApiServer,
  { options, signal }: { readonly options: ControlPlaneOptions; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, logger, rootCertificateAuthority: clientAuthority, requestHeader } = options;
  if (clientAuthority === "") return;
  const parts = { client: client(serverUser), reader, clock, logger };
  await keepClientAuthority({ ...parts, clientAuthority, requestHeader }, signal);
}

const serverUser: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

const authenticated = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, "system:authenticated"],
});

/** A component's user by its name; service accounts are in their groups. */
function componentUser(name: string): UserInfo {
  const [, , namespace] = /^system:(serviceaccount):([^:]+):/.exec(name) ?? [];
  if (namespace === undefined) return authenticated(name);
  return authenticated(name, "system:serviceaccounts", `system:serviceaccounts:${namespace}`);
}

interface Components {
  readonly options: ControlPlaneOptions;
  readonly server: ApiServer;
  readonly tokens: TokenIssuer;
  readonly aggregation: Aggregation;
  readonly clientFor: (user: UserInfo) => Client;
}

async function runComponents(parts: Components, signal: AbortSignal): Promise<void> {
  const { options, server } = parts;
  const { clock, random, logger, store } = options;
  const { compact = (ending) => startCompactor({ store, clock, logger, signal: ending }) } = options;
  // Every informer, queue and watch of the components ends with it: their number is no leak.
  setMaxListeners(0, signal);
  const clientFor = (name: string): Client => parts.clientFor(componentUser(name));
  const outside = { clock, random, logger };
  const elected = (name: string, lead: (signal: AbortSignal) => Promise<void>) =>
    options.electsLeaders
      ? leadInTurn({ name, client: clientFor(`system:${name}`), lead, ...outside }, signal)
      : lead(signal);
  await Promise.all([
    elected("kube-scheduler", (leading) => schedule(clientFor("system:kube-scheduler"), outside, leading)),
    elected("kube-controller-manager", (leading) =>
      runControllers({ clientFor, settings: controllerSettings(parts), ...outside }, leading),
    ),
    compact(signal),
    parts.aggregation.run(signal),
    tellTrust(server, { options, signal }),
    runFlowControl({ client: server.client(serverUser), reader: server.reader, clock, logger }, signal),
    ...(options.hostname === undefined
      ? []
      : [runIdentityLease(identityOf(parts, options.hostname), signal)]),
    keepTokenTracking({ reader: server.reader, client: server.client(serverUser), clock }, signal),
  ]);
}

interface Outside {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

async function schedule(client: Client, outside: Outside, signal: AbortSignal): Promise<void> {
  setMaxListeners(0, signal);
  const informers = createInformerFactory({ client, ...outside });
  const events = createEventRecorder({ client, component: "default-scheduler", ...outside });
  await Promise.all([
    informers.run(signal),
    runScheduler({ client, informers, events, ...outside }, signal).then(() => events.stop()),
  ]);
}

/** Works while it is the elected one of its name, with the lease that upstream's component of that name has. */
async function leadInTurn(
  candidate: Outside & {
    readonly name: string;
    readonly client: Client;
    readonly lead: (signal: AbortSignal) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { name, random, lead } = candidate;
  const identity = `${name}_${random.uuid()}`;
  const lease = { namespace: "kube-system", name };
  while (!signal.aborted) {
    const leading = async (ending: AbortSignal) => {
      setMaxListeners(0, ending);
      await lead(ending);
    };
    await runLeaderElection({ ...candidate, lease, identity, lead: leading }, signal);
  }
}

const identityOf = (
  { options: { clock, logger, random }, server }: Parameters<typeof runComponents>[0],
  hostname: string,
) => ({ client: server.client(serverUser), clock, logger, hostname, instance: random.uuid() });

function controllerSettings({
  options,
  tokens,
  server,
  aggregation,
}: Parameters<typeof runComponents>[0]): RunControllersOptions["settings"] {
  return {
    rootCertificateAuthority: options.rootCertificateAuthority,
    catalog: catalogOf(server.core.served, aggregation.remote),
    checkPolicyTypes: policyTypeCheck({ served: server.core.served, clock: options.clock }),
    ...(options.signCertificate ? { signCertificate: options.signCertificate } : {}),
    legacyServiceAccountTokens: options.legacyServiceAccountTokens ?? false,
    signSecretToken: async ({ namespace, serviceAccount, secret }) => {
      const account = server.reader.get(ServiceAccount, { namespace, name: serviceAccount.name });
      invariant(account, "a secret's token is asked for an existing service account");
      return tokens.issueLegacy({ serviceAccount: account, secret: secret.name });
    },
  };
}

/** What checks and changes requests, in upstream's order; nobody gives away more rights than they have. */
function admissionPlugins(
  {
    reader,
    client,
    served,
  }: { readonly reader: ObjectReader; readonly client: Client; readonly served: ServedTable },
  options: ControlPlaneOptions & Security,
) {
  const { random, clock, authorizer } = options;
  return [
    ...defaultAdmission({
      reader,
      random,
      clock,
      client,
      authorizer,
      findKinds: kindFinder(served),
      dynamic: dynamicPlugins({ reader, served }, options),
      ...options.admission,
    }),
    createEscalationGuard(options),
  ];
}

/** The plugins that do what objects of the API say. */
function dynamicPlugins(
  { reader, served }: { readonly reader: ObjectReader; readonly served: ServedTable },
  {
    clock,
    random,
    logger,
    authorizer,
  }: Required<Pick<ControlPlaneOptions, "clock" | "random" | "logger">> & {
    readonly authorizer: Authorizer;
  },
) {
  const post = webhookPost({ reader, clock, random });
  const parts = { reader, served, authorizer };
  return [
    ...admissionPolicies(parts),
    ...admissionWebhooks({ ...parts, clock, random, logger: logger.named("admission"), post }),
  ];
}
