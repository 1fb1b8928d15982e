import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Milliseconds, Random } from "../../base/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { copyBody } from "../connect/copy-body.ts";
import { hostAndPort } from "../connect/kubelets.ts";
import { forwardedHeaders, hasBody, returnedHeaders } from "../connect/proxy.ts";
import type { Delegate, RequestInfo } from "../http/index.ts";
import { sendText } from "../http/respond.ts";
import type { ObjectReader } from "../reader.ts";
import { proxyUpgrade } from "../../streaming/index.ts";
import { askBackend, failureMessage, UnreachableError } from "./backend.ts";
import { identityHeaders } from "./identity-headers.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";
import { resolveService, type Address } from "../resolve-service.ts";

type Delegated = Parameters<Delegate>[0];

const dialTimeout: Milliseconds = 10_000;
const emptyAnswers = new Set([204, 205, 304]);
const unavailable = "service unavailable";
const redirected = "the backend attempted to redirect this request, which is not permitted";

/** Passes requests for registered group versions on to the servers that serve them, on behalf of whoever asks. */
export function aggregatorDelegate(parts: {
  readonly apis: RegisteredApis;
  readonly reader: ObjectReader;
  readonly random: Random;
  /** Whether the server has a document of version 3 of its own. */
  readonly hasDocument: (api: RemoteApi) => boolean;
}): Delegate {
  const { apis, hasDocument } = parts;
  return (call) => {
    if (apis.size === 0) return false;
    const [group, version] = groupVersionOf(call.info);
    const api = version === "" ? undefined : apis.find(group, version);
    if (api === undefined || (isDocument(call.info) && !hasDocument(api))) return false;
    return serve(call, { ...parts, api }).then(() => true);
  };
}

const documentPath = /^\/openapi\/v3\//;
const isDocument = ({ path }: RequestInfo): boolean => documentPath.test(path);

/** The group version that a path lies in; empty where it lies in none. */
function groupVersionOf(info: RequestInfo): readonly [group: string, version: string] {
  if (info.type === "resource") return [info.group, info.version];
  // Documents of version 3 have the paths of what they describe.
  const path = info.path.replace(documentPath, "/");
  const [, root, first = "", second = ""] = path.split("/");
  if (root === "apis") return [first, second];
  return root === "api" ? ["", first] : ["", ""];
}

async function serve(
  call: Delegated,
  { api, ...parts }: { readonly api: RemoteApi; readonly reader: ObjectReader; readonly random: Random },
): Promise<void> {
  if (!api.available) return refuse(call, unavailable);
  if (api.problem !== undefined) return refuse(call, api.problem, 500);
  let address: Address;
  try {
    address = resolveService(parts, api.service);
  } catch {
    // Which part is missing is in the APIService's condition.
    return refuse(call, unavailable);
  }
  return call.upgrade ? upgrade(call, { api, address }) : forward(call, { api, address });
}

function refuse({ exchange, headers }: Delegated, text: string, status = 503): void {
  sendText(exchange, { status, text: `${text}\n`, headers });
}

async function forward(
  call: Delegated,
  { api, address }: { readonly api: RemoteApi; readonly address: Address },
): Promise<void> {
  const { exchange, headers, user } = call;
  const { signal, method } = exchange;
  try {
    const answer = await askBackend(address, {
      agent: api.agent,
      method,
      path: exchange.target,
      headers: {
        ...forwardedHeaders(exchange, address),
        ...identityHeaders(user),
        "Audit-Id": String(headers["audit-id"]),
      },
      body: hasBody(exchange) ? exchange.bodyStream() : undefined,
      signal,
    });
    const status = answer.statusCode ?? 502;
    if (status >= 300 && status <= 399 && answer.headers.location) {
      answer.destroy();
      return refuse(call, redirected, 502);
    }
    const body = exchange.stream(status, { ...headers, ...returnedHeaders(answer.headers) });
    if (method === "HEAD" || emptyAnswers.has(status)) {
      answer.resume();
      return body.end();
    }
    await copyBody(answer, { body, signal });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    refuse(call, `error trying to reach service: ${error.message}`);
  }
}

/** Joins the client's connection with the extension server's, which then talk as they like. */
async function upgrade(
  call: Delegated & { readonly user: UserInfo },
  { api, address }: { readonly api: RemoteApi; readonly address: Address },
): Promise<void> {
  const { exchange, user } = call;
  const { request, socket, head } = call.upgrade!;
  socket.on("error", () => socket.destroy());
  let backend: Duplex;
  try {
    backend = await dialBackend(api, address);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return refuse(call, error.message);
  }
  exchange.leftHttp();
  await proxyUpgrade(
    { method: request.method ?? "GET", headers: request.headers, socket, head },
    { backend, host: hostAndPort(address), path: exchange.target, identity: identityHeaders(user) },
  );
}

function dialBackend({ agent }: RemoteApi, address: Address): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...agent.options, ...address, ALPNProtocols: ["http/1.1"] });
    const failed = (error: Error) => reject(new UnreachableError(failureMessage(error, { address, agent })));
    socket.setTimeout(dialTimeout, () => socket.destroy(new Error("i/o timeout")));
    socket.once("error", failed);
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      socket.off("error", failed);
      resolve(socket);
    });
  });
}
