import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../pki/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import type { Attributes } from "../authorization/authorizer.ts";
import { createAuthenticator, staticTokens } from "../authentication/index.ts";
import { webhookPost } from "../connect/index.ts";
import { createApiServer } from "../server/server.ts";
import type { ApiServer, ServerParts } from "../server/server.ts";
import { serveApi } from "./serve.ts";
import type { ServedApi, ServeOptions } from "./serve.ts";

export interface FrontAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface FrontAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Whose token is shown: `admin` may do everything; absent: no token. */
  readonly as?: string;
  /** A client certificate. */
  readonly with?: { readonly certificate: string; readonly key: string };
}

/** An API server behind a real socket, for tests of its front. */
export interface Front {
  readonly server: ApiServer;
  readonly api: ServedApi;
  readonly clock: VirtualClock;
  readonly ca: Awaited<ReturnType<typeof createCertificateAuthority>>;
  /** Asks over HTTP/1.1, each time on a connection of its own. */
  ask(path: string, ask?: FrontAsk): Promise<FrontAnswer>;
  /** An HTTP/2 connection; the caller closes it. */
  session(): ClientHttp2Session;
  /** Lets everything go on that `/slow` and access reviews wait for. */
  release(): void;
  close(): Promise<void>;
}

const users: ReadonlyMap<string, UserInfo> = new Map([
  ["admin", { name: "admin", groups: ["system:masters"] }],
  ["user", { name: "user", groups: [] }],
]);

/** Opens a front whose users are `admin`, who may do everything, and others, of whom `allows` decides. */
export async function openFront(
  options: Partial<ServeOptions> & {
    readonly allows?: (attributes: Attributes) => boolean;
    readonly callsWebhooks?: boolean;
  } = {},
): Promise<Front> {
  const { allows = () => false, callsWebhooks = false, ...settings } = options;
  const now = Date.now();
  const clock = new VirtualClock(now);
  const ca = await createCertificateAuthority({ commonName: "test", now });
  const identity = await issueCertificate({
    ca,
    commonName: "server",
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
    now,
  });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const random = seededRandom(1);
  const server = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    random,
    ...(callsWebhooks
      ? { postToWebhook: ({ reader }: ServerParts) => webhookPost({ reader, clock, random }) }
      : {}),
    logger: silentLogger,
    authorizer: {
      authorize: (attributes) =>
        attributes.user.groups.includes("system:masters") || allows(attributes)
          ? { type: "allow", reason: "" }
          : { type: "noOpinion", reason: "" },
    },
    answers: {
      "authorization.k8s.io/selfsubjectaccessreviews": async ({ body }) => {
        await released;
        return body;
      },
    },
  });
  const api = await serveApi(server, {
    host: "127.0.0.1",
    port: 0,
    tls: { ...identity, clientAuthority: ca.certificate },
    authenticator: createAuthenticator({ tokens: staticTokens(users), apiAudiences: [] }),
    documents: [{ get: (path) => slowDocument(path, released) }],
    ...settings,
  });
  const at = { host: "127.0.0.1", port: api.address.port, ca: ca.certificate };
  return {
    server,
    api,
    clock,
    ca,
    ask: (path, ask = {}) => askOnce(at, path, ask),
    session: () => connect(`https://${at.host}:${at.port}`, { ca: at.ca }),
    release,
    async close() {
      release();
      await api.close();
      await server.close();
    },
  };
}

const slowBytes = new TextEncoder().encode("slow");

/** What `/slow` answers in the end, and `/broken` never does. */
async function slowDocument(path: string, released: Promise<void>) {
  if (path === "/broken") throw new TypeError("the document is broken");
  if (path !== "/slow") return undefined;
  await released;
  return { bytes: slowBytes, contentType: "text/plain", etag: "" };
}

function askOnce(
  at: { readonly host: string; readonly port: number; readonly ca: string },
  path: string,
  { method = "GET", headers = {}, body, as, with: shown }: FrontAsk,
): Promise<FrontAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...at,
        ...(shown ? { cert: shown.certificate, key: shown.key } : {}),
        path,
        method,
        agent: false,
        headers: { ...headers, ...(as === undefined ? {} : { authorization: `Bearer ${as}` }) },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    asking.on("error", reject);
    asking.end(body);
  });
}
