import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createCertificateAuthority, issueCertificate } from "../../../pki/index.ts";

/** What a webhook is asked. */
export interface AdmissionRequestBody {
  readonly uid: string;
  readonly [field: string]: unknown;
}

interface Hooks {
  readonly url: string;
  readonly caBundle: string;
  /** Bodies of all calls, by their paths. */
  readonly calls: { readonly path: string; readonly body: { readonly request: AdmissionRequestBody } }[];
  readonly sockets: Set<unknown>;
  close(): void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A server of webhooks: what is under a path answers its calls. */
export async function serveHooks(
  answers: Readonly<
    Record<string, (request: AdmissionRequestBody, response: ServerResponse) => object | undefined>
  >,
): Promise<Hooks> {
  const ca = await createCertificateAuthority({ commonName: "authority", now: Date.now() });
  const { certificate: cert, key } = await issueCertificate({
    ca,
    commonName: "hooks",
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    now: Date.now(),
  });
  const calls: Hooks["calls"] = [];
  const sockets = new Set<unknown>();
  const server = createServer({ cert, key }, (request, response) => {
    void bodyOf(request).then((text) => {
      const body = JSON.parse(text) as { request: AdmissionRequestBody; apiVersion: string };
      const path = (request.url ?? "").split("?")[0] ?? "";
      calls.push({ path, body });
      sockets.add(request.socket);
      const answer = answers[path]?.(body.request, response);
      if (!answer) return;
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          kind: "AdmissionReview",
          apiVersion: body.apiVersion,
          response: { uid: body.request.uid, ...answer },
        }),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caBundle: Buffer.from(ca.certificate).toString("base64"),
    calls,
    sockets,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
