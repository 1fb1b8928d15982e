import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { UserInfo } from "../../api/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../pki/index.ts";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import { Service } from "../../api/types/core-v1.ts";
import { openFront, type Front } from "../http/front-suite.ts";
import { createAggregation, type Aggregation } from "./index.ts";

const administrator: UserInfo = { name: "admin", groups: ["system:masters"] };
const namespace = "wardle";

/** Answers a request to the extension server; what it leaves alone echoes what came. */
type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A front with an extension server behind it. */
export interface Aggregated {
  readonly front: Front;
  readonly aggregation: Aggregation;
  /** Requests that came to the extension server, as `METHOD path`. */
  readonly seen: string[];
  /** What the extension server answers instead of an echo. */
  answer: Answer;
  readonly extensionPort: number;
  /** Registers a group version of the extension server. */
  register(spec?: Partial<APIService["spec"]>): Promise<void>;
  /** Makes the service, which stands for a name. */
  publish(externalName?: string): Promise<void>;
  /** Settles when the condition of `v1alpha1.wardle.example.com` has the reason. */
  conditionOf(reason: string): Promise<Readonly<Record<string, string | undefined>>>;
  close(): Promise<void>;
}

async function openExtension(answer: Answer) {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "extension", now });
  const proxyCa = await createCertificateAuthority({ commonName: "proxies", now });
  const [serving, identity] = await Promise.all([
    issueCertificate({ ca, commonName: "x", dnsNames: ["api.wardle.svc"], usages: ["server"], now }),
    issueCertificate({ ca: proxyCa, commonName: "front-proxy-client", usages: ["client"], now }),
  ]);
  const seen: string[] = [];
  const server = createServer(
    {
      cert: serving.certificate,
      key: serving.key,
      ca: proxyCa.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (answer(request, response)) return;
      const { headers, url, method, rawHeaders } = request;
      const groups = rawHeaders.filter((_, index) => rawHeaders[index - 1] === "X-Remote-Group");
      const { authorized } = request.socket as TLSSocket;
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        response.writeHead(200, { "content-type": "application/json", connection: "keep-alive" });
        response.end(JSON.stringify({ method, url, headers, groups, authorized, body }));
      });
    },
  );
  server.on("upgrade", (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
    socket.write(`user ${String(request.headers["x-remote-user"])}\n`);
    socket.pipe(socket);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, seen, identity, ca };
}

function conditionOf(front: Front, reason: string): Promise<Readonly<Record<string, string | undefined>>> {
  const { reader } = front.server;
  return new Promise((resolve) => {
    const look = () => {
      const { conditions = [] } =
        reader.get(APIService, { name: "v1alpha1.wardle.example.com" })?.status ?? {};
      const found = conditions.find((one) => one.reason === reason);
      if (found) resolve({ ...found });
      return found !== undefined;
    };
    if (look()) return;
    const end = reader.subscribe(APIService, () => void (look() && end()));
  });
}

interface Late {
  aggregation?: Aggregation;
  listener?: () => void;
  openApiListener?: () => void;
  observe?: () => void;
}

/** A front whose aggregation is made after it. */
function openBefore(late: Late): Promise<Front> {
  const remote = () => late.aggregation?.remote;
  return openFront({
    delegates: [(call) => late.aggregation?.delegate(call) ?? false],
    remote: {
      priorities: {
        group: (name) => remote()?.priorities.group(name),
        version: (group, version) => remote()?.priorities.version(group, version),
      },
      observe: (registry) => void (late.observe = () => remote()?.observe?.(registry)),
      openApi: {
        documents: () => remote()?.openApi.documents() ?? [],
        onChange: (listener) => {
          late.openApiListener = listener;
          return () => undefined;
        },
      },
      versions: () => remote()?.versions() ?? [],
      onChange: (listener) => {
        late.listener = listener;
        return () => undefined;
      },
    },
  });
}

/** Opens both; nothing is registered yet. */
export async function openAggregated(): Promise<Aggregated> {
  const late: Late = {};
  const extension = await openExtension((request, response) => made.answer(request, response));
  const front = await openBefore(late);
  const client = front.server.client(administrator);
  const { server, port, seen, identity, ca } = extension;
  const aggregation = createAggregation({ server: front.server, client, identity });
  late.aggregation = aggregation;
  late.observe?.();
  aggregation.remote.onChange(() => late.listener?.());
  aggregation.remote.openApi.onChange(() => late.openApiListener?.());
  const ending = new AbortController();
  const running = aggregation.run(ending.signal);
  const made: Aggregated = {
    front,
    aggregation,
    seen,
    answer: () => false,
    extensionPort: port,
    async register(spec = {}) {
      const whole: APIService["spec"] = {
        group: "wardle.example.com",
        version: "v1alpha1",
        service: { namespace, name: "api", port },
        groupPriorityMinimum: 2_000,
        versionPriority: 200,
        ...(spec.insecureSkipTLSVerify ? {} : { caBundle: Buffer.from(ca.certificate).toString("base64") }),
        ...spec,
      };
      await client.create(APIService, {
        metadata: { name: `${whole.version}.${whole.group}` },
        spec: whole,
        status: {},
      });
    },
    async publish(externalName = "localhost") {
      const spec = { type: "ExternalName" as const, externalName };
      await client.create(Service, { metadata: { namespace, name: "api" }, spec, status: {} });
    },
    conditionOf: (reason) => conditionOf(front, reason),
    async close() {
      ending.abort();
      await running;
      aggregation.close();
      await front.close();
      server.closeAllConnections();
      server.close();
    },
  };
  return made;
}
