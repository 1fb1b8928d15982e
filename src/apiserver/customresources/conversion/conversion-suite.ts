import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createCertificateAuthority, issueCertificate } from "../../../pki/index.ts";

/** An object as a webhook sees it. */
export interface SeenObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [field: string]: unknown };
  spec?: { [field: string]: unknown };
  [field: string]: unknown;
}

/** One question that the webhook was asked. */
export interface Question {
  readonly url: string;
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly desiredAPIVersion: string;
    readonly objects: readonly SeenObject[];
  };
}

/** A webhook that converts widgets: what is `spec.color` in v1 is `spec.paint` in v2. */
export interface ConversionHook {
  readonly url: string;
  readonly caBundle: string;
  readonly questions: Question[];
  /** Changes what is answered next; undefined: nothing is changed. The answer is its own when it returns nothing. */
  answer: ((question: Question, response: ServerResponse) => object | undefined) | undefined;
  /** Bodies that were asked about, one an object, since the last time. */
  asked(): string[];
  close(): void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** The objects as of the version that is asked for. */
export const converted = ({ request: { objects, desiredAPIVersion } }: Question): SeenObject[] =>
  objects.map((object) => {
    const { color, paint, ...rest } = object.spec ?? {};
    const shade = color ?? paint;
    const field = desiredAPIVersion.endsWith("/v1") ? "color" : "paint";
    return {
      ...object,
      apiVersion: desiredAPIVersion,
      ...(object.spec ? { spec: { ...rest, ...(shade === undefined ? {} : { [field]: shade }) } } : {}),
    };
  });

/** Serves a conversion webhook over HTTPS. */
export async function serveConversion(): Promise<ConversionHook> {
  const ca = await createCertificateAuthority({ commonName: "authority", now: Date.now() });
  const { certificate: cert, key } = await issueCertificate({
    ca,
    commonName: "hook",
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    now: Date.now(),
  });
  const questions: Question[] = [];
  let told = 0;
  const server = createServer({ cert, key }, (request, response) => {
    void bodyOf(request).then((text) => {
      const question = { ...(JSON.parse(text) as Question), url: request.url ?? "" };
      questions.push(question);
      const own = hook.answer ? hook.answer(question, response) : {};
      if (!own) return;
      const { apiVersion, request: asked } = question;
      const result = { status: "Success" };
      const answer = { uid: asked.uid, result, convertedObjects: converted(question), ...own };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ kind: "ConversionReview", apiVersion, response: answer }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const hook: ConversionHook = {
    url: `https://127.0.0.1:${port}/convert`,
    caBundle: Buffer.from(ca.certificate).toString("base64"),
    questions,
    answer: undefined,
    asked() {
      const texts = questions.slice(told).map(({ request: { desiredAPIVersion, objects } }) => {
        const names = objects.map(
          ({ metadata, apiVersion }) => `${metadata.name}@${apiVersion.split("/")[1]}`,
        );
        return `${names.join(" ")} to ${desiredAPIVersion.split("/")[1]}`;
      });
      told = questions.length;
      return texts;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return hook;
}
