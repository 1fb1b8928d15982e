import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { createCertificateAuthority, issueCertificate } from "../../../pki/index.ts";
import { openFront, type Front } from "../../http/front-suite.ts";

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
    dnsNames: ["hook.default.svc"],
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
      const texts = questions
        .slice(Math.min(told, questions.length))
        .map(({ request: { desiredAPIVersion, objects } }) => {
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

const attempts = 2_000;

export async function eventually(expectation: () => void | Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await expectation();
    } catch (error) {
      if (attempt === attempts) throw error;
      await setImmediate();
    }
  }
}

export interface Answer {
  readonly status: number;
  // Each test knows what it asked for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** The path of the widgets of a version, or of one of them. */
export const widgets = (version: string, name = "") =>
  `/apis/example.com/${version}/namespaces/default/widgets${name === "" ? "" : `/${name}`}`;

export const widget = (version: "v1" | "v2", name: string, shade = "red") => ({
  apiVersion: `example.com/${version}`,
  kind: "Widget",
  metadata: { name },
  spec: { [version === "v1" ? "color" : "paint"]: shade },
});

export const mergePatch = { "content-type": "application/merge-patch+json" };
export const applyPatch = { "content-type": "application/apply-patch+yaml" };

const schemaWith = (field: string, more: object) => {
  const spec = { ...more, size: { type: "integer", default: 3 }, replicas: { type: "integer" } };
  const status = { replicas: { type: "integer" }, phase: { type: "string" } };
  return {
    openAPIV3Schema: {
      type: "object",
      properties: {
        spec: { type: "object", properties: { ...spec, [field]: { type: "string" } } },
        status: { type: "object", properties: status },
      },
    },
  };
};

const versionOf = (
  name: string,
  { field, storage, more = {} }: { field: string; storage: boolean; more?: object },
) => ({
  name,
  served: true,
  storage,
  schema: schemaWith(field, more),
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
  },
  additionalPrinterColumns: [{ name: "Shade", type: "string", jsonPath: `.spec.${field}` }],
  selectableFields: [{ jsonPath: `.spec.${field}` }],
});

export const definitionOf = (
  hook: ConversionHook,
  {
    stored = "v1",
    reviews = ["v1", "v1beta1"],
    client = { url: hook.url },
    firstOnly = {},
  }: {
    readonly stored?: "v1" | "v2";
    readonly reviews?: readonly string[];
    readonly client?: object;
    /** Fields that v1 alone has. */
    readonly firstOnly?: object;
  } = {},
) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      versionOf("v1", { field: "color", storage: stored === "v1", more: firstOnly }),
      versionOf("v2", { field: "paint", storage: stored === "v2" }),
    ],
    conversion: {
      strategy: "Webhook",
      webhook: {
        conversionReviewVersions: reviews,
        clientConfig: { ...client, caBundle: hook.caBundle },
      },
    },
  },
});

/** An event of a watch. */
interface Seen {
  readonly type: string;
  readonly object: SeenObject;
}

export interface Watching {
  readonly status: Promise<number>;
  readonly events: Seen[];
  /** What was heard: types and names. */
  heard(): string[];
  isOver(): boolean;
  close(): void;
}

/** A server with a definition of widgets, and the webhook that converts them. */
export class Scene {
  readonly front: Front;
  readonly hook: ConversionHook;
  readonly #endings: (() => void)[] = [];

  static async open(): Promise<Scene> {
    const scene = new Scene(await openFront({ callsWebhooks: true }), await serveConversion());
    await scene.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
    return scene;
  }

  private constructor(front: Front, hook: ConversionHook) {
    this.front = front;
    this.hook = hook;
  }

  async close(): Promise<void> {
    for (const end of this.#endings) end();
    this.hook.close();
    await this.front.close();
  }

  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = await this.front.ask(path, {
      method,
      as: "admin",
      headers: { "content-type": "application/json", ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const isJson = answer.headers["content-type"]?.includes("json") === true;
    return { status: answer.status, body: isJson ? JSON.parse(answer.text) : answer.text };
  }

  async define(options?: Parameters<typeof definitionOf>[1]): Promise<void> {
    const made = await this.ask("POST", definitions, definitionOf(this.hook, options));
    expect(made).toMatchObject({ status: 201 });
    await eventually(async () => expect((await this.ask("GET", "/apis/example.com/v2")).status).toBe(200));
  }

  /** Has v2 stored from now on. */
  async storeSecond(): Promise<void> {
    const path = `${definitions}/widgets.example.com`;
    const { body } = await this.ask("GET", path);
    const { spec } = definitionOf(this.hook, { stored: "v2" });
    expect((await this.ask("PUT", path, { ...body, spec })).status).toBe(200);
    await eventually(() => {
      const served = this.front.server.core.served.find("example.com", "v1", "widgets");
      expect(served?.storage.storedApiVersion).toBe("example.com/v2");
    });
  }

  /** Leaves nothing behind of a test. */
  async reset(): Promise<void> {
    for (const end of this.#endings.splice(0)) end();
    this.hook.answer = undefined;
    await this.undefine();
    await eventually(async () => expect((await this.ask("GET", "/apis/example.com/v1")).status).toBe(404));
    this.hook.questions.length = 0;
    this.hook.asked();
  }

  /** Has nobody convert from now on, or the webhook again. */
  async convertBy(strategy: "None" | "Webhook"): Promise<void> {
    const path = `${definitions}/widgets.example.com`;
    const { body } = await this.ask("GET", path);
    const { conversion } = definitionOf(this.hook).spec;
    const spec = { ...body.spec, conversion: strategy === "None" ? { strategy } : conversion };
    expect((await this.ask("PUT", path, { ...body, spec })).status).toBe(200);
    await eventually(() => {
      const served = this.front.server.core.served.find("example.com", "v1", "widgets");
      expect(served?.remote !== undefined).toBe(strategy === "Webhook");
    });
  }

  async undefine(): Promise<void> {
    await this.ask("DELETE", `${definitions}/widgets.example.com`);
  }

  async create(version: "v1" | "v2", name: string, shade?: string): Promise<SeenObject> {
    const answer = await this.ask("POST", widgets(version), widget(version, name, shade));
    expect(answer.status).toBe(201);
    return answer.body as SeenObject;
  }

  /** Follows a path over HTTP/2. */
  watch(path: string): Watching {
    const session = this.front.session();
    const stream = session.request({ ":path": path, authorization: "Bearer admin" });
    const events: Seen[] = [];
    let rest = "";
    let isOver = false;
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.filter(Boolean).map((line) => JSON.parse(line) as Seen));
    });
    stream.on("error", () => (isOver = true));
    stream.on("end", () => (isOver = true));
    const close = () => {
      stream.close();
      session.destroy();
    };
    this.#endings.push(close);
    return {
      events,
      status: once(stream, "response").then(([headers]) =>
        Number((headers as Record<string, unknown>)[":status"]),
      ),
      heard: () => events.map(({ type, object }) => `${type} ${object.metadata.name ?? object.kind}`),
      isOver: () => isOver,
      close,
    };
  }
}
