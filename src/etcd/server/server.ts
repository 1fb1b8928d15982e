import type { Clock, Logger, Milliseconds, Random } from "../../base/index.ts";
import {
  type Call,
  createGrpcServer,
  GrpcError,
  grpcCode,
  type GrpcServer,
  type HttpAnswer,
  type ServedMethod,
  serveMethods,
} from "../../grpc/index.ts";
import { type Mvcc, StoreError } from "../../store/index.ts";
import { etcdCodec, methods } from "../messages.ts";
import { Auth, authHandlers } from "./auth/index.ts";
import { clusterHandlers } from "./cluster.ts";
import { Compactions } from "./compactions.ts";
import type { MemberIdentity, ServerContext } from "./context.ts";
import { refusal, refusalOf } from "./errors.ts";
import { healthMethods } from "./health.ts";
import { kvHandlers } from "./kv.ts";
import { leaseHandlers } from "./lease.ts";
import { maintenanceHandlers } from "./maintenance.ts";
import { EtcdMetrics } from "./metrics.ts";
import { etcdClusterVersion, etcdVersion } from "./version.ts";
import { watchHandlers } from "./watch.ts";

/** What is served, and as whom. */
export interface EtcdServerOptions {
  readonly store: Mvcc;
  readonly identity: MemberIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<ServerContext["limits"]>;
  /** Rounds of bcrypt for passwords, as a power of two. */
  readonly passwordCost?: number;
}

/** A server, and the pages it has over plain HTTP, for other listeners. */
export interface EtcdServer extends GrpcServer {
  readonly http: (request: { readonly method: string; readonly path: string }) => HttpAnswer;
}

const largestRequest = 1.5 * 1024 * 1024;
/** What a message may have beyond a request, as etcd has it. */
const messageOverhead = 512 * 1024;
const mostOperations = 128;
const progressInterval: Milliseconds = 10 * 60 * 1000;
const defaultPasswordCost = 10;

/** Makes a server that serves a store as etcd v3. */
export async function createEtcdServer(options: EtcdServerOptions): Promise<EtcdServer> {
  const { store, clock, passwordCost = defaultPasswordCost } = options;
  const limits = {
    requestBytes: largestRequest,
    operations: mostOperations,
    quotaBytes: 0,
    progressInterval,
    ...options.limits,
  };
  const auth = await Auth.open(store, { clock, passwordCost });
  const { identity } = options;
  const authRevision = () => auth.accounts.revision;
  const metrics = new EtcdMetrics({ store, identity, limits, authRevision });
  const compactions = new Compactions(store);
  const context: ServerContext = { ...options, auth, limits, compactions, metrics };
  const served = serveMethods(
    { codec: etcdCodec, methods },
    {
      ...kvHandlers(context),
      ...watchHandlers(context),
      ...leaseHandlers(context),
      ...maintenanceHandlers(context),
      ...clusterHandlers(context),
      ...authHandlers(context),
    },
  );
  const http = (request: { readonly path: string }) => page(request.path, metrics);
  const server = createGrpcServer({
    methods: [...served, ...healthMethods()].map((method) => guarded(method, metrics)),
    largestRequest: limits.requestBytes + messageOverhead,
    logger: options.logger,
    stoppedText: refusal("stopped").message,
    http,
  });
  return { ...server, http };
}

/** Turns errors of the store into etcd's, and counts calls and messages. */
function guarded(method: ServedMethod, metrics: EtcdMetrics): ServedMethod {
  const handle = method.handle as (request: unknown, call: Call) => Promise<unknown>;
  const counts = metrics.ofMethod(method);
  const guard = async (request: unknown, call: Call) => {
    counts.started();
    try {
      const answer = await handle(request, call);
      counts.ended("OK");
      return answer;
    } catch (error) {
      if (error instanceof StoreError && error.type === "unavailable") metrics.noteFailedWrite();
      const told = error instanceof StoreError ? refusalOf(error) : error;
      // That is what etcd notes of streams whose caller has gone.
      const other = call.signal.aborted ? grpcCode.unavailable : grpcCode.internal;
      counts.ended(codeName(told instanceof GrpcError ? told.code : other));
      throw told;
    }
  };
  const decode = (bytes: Uint8Array) => {
    counts.received(bytes.length);
    return method.decode(bytes);
  };
  const encode = (message: object) => {
    const bytes = method.encode(message);
    counts.sent(bytes.length);
    return bytes;
  };
  return { ...method, handle: guard, decode, encode } as ServedMethod;
}

function codeName(code: number): string {
  const [name = "unknown"] = Object.entries(grpcCode).find(([, other]) => other === code) ?? [];
  return name.replace(/^./, (letter) => letter.toUpperCase());
}

function page(path: string, metrics: EtcdMetrics): HttpAnswer {
  switch (path) {
    case "/health":
      metrics.healthChecks.value++;
      return { status: 200, type: "application/json", body: JSON.stringify({ health: "true", reason: "" }) };
    case "/version":
      return {
        status: 200,
        type: "application/json",
        body: JSON.stringify({ etcdserver: etcdVersion, etcdcluster: etcdClusterVersion }),
      };
    case "/metrics":
      return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text() };
    default:
      return { status: 404, type: "text/plain; charset=utf-8", body: "404 page not found\n" };
  }
}
