import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import { Api, type Body } from "./api.ts";

const root = "/apis/admissionregistration.k8s.io/v1";
const suite = "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin]";

let api: Api;
let namespace: string;
let server: Server;
let clientConfig: { readonly url: string; readonly caBundle: string };

beforeAll(async () => {
  api = await Api.start({ nodes: 0 });
  namespace = await api.namespace("webhooks");
  await api.patch(namespace, { metadata: { labels: { webhooks: "true" } } });
  [server, clientConfig] = await serveHook();
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await api.stop();
});

/** A webhook that adds a key to the data of config maps. */
async function serveHook(): Promise<[Server, typeof clientConfig]> {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "authority", now });
  const { certificate: cert, key } = await issueCertificate({
    ca,
    commonName: "webhook",
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    now,
  });
  const patch = [{ op: "add", path: "/data/mutation", value: "yes" }];
  const answer = {
    allowed: true,
    patchType: "JSONPatch",
    patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
  };
  const hook = createServer({ cert, key }, (request, response) => {
    void textOf(request).then((text) => {
      const { uid } = (JSON.parse(text) as { readonly request: { readonly uid: string } }).request;
      const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" };
      response.end(JSON.stringify({ ...review, response: { uid, ...answer } }));
    });
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  const { port } = hook.address() as AddressInfo;
  return [
    hook,
    { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(ca.certificate).toString("base64") },
  ];
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

const configuration = (name: string, matchConditions: readonly MatchCondition[]) => ({
  metadata: { name },
  webhooks: [
    {
      name: `${name}.example.com`,
      clientConfig,
      rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
      sideEffects: "None",
      admissionReviewVersions: ["v1", "v1beta1"],
      namespaceSelector: { matchLabels: { webhooks: "true" } },
      matchConditions,
    },
  ],
});

const conditionsOf = ({ webhooks }: Body) =>
  (webhooks as readonly { readonly matchConditions: readonly MatchCondition[] }[])[0]?.matchConditions;

describe.each(["validating", "mutating"])("%s", (kind) => {
  const path = `${root}/${kind}webhookconfigurations`;

  test(`${suite} should be able to create and update ${kind} webhook configurations with match conditions [Conformance]`, async () => {
    const first = { name: "expression-1", expression: "object.metadata.namespace == 'production'" };
    const second = { name: "expression-2", expression: "object.metadata.namespace == 'staging'" };
    const created = await api.create(path, configuration("conditions", [first]));
    expect(conditionsOf(created)).toEqual([first]);
    const { metadata } = await api.get(`${path}/conditions`);
    const updated = await api.update(`${path}/conditions`, {
      ...configuration("conditions", [first, second]),
      metadata,
    });
    expect(conditionsOf(updated)).toEqual([first, second]);
    expect(conditionsOf(await api.get(`${path}/conditions`))).toEqual([first, second]);
    await api.delete(`${path}/conditions`);
  });

  test(`${suite} should reject ${kind} webhook configurations with invalid match conditions [Conformance]`, async () => {
    const invalid = [{ name: "invalid-expression-1", expression: "... [] bad expression" }];
    const { status, body } = await api.send(path, {
      method: "POST",
      body: configuration("invalid", invalid),
    });
    expect({ status, message: String(body["message"]) }).toEqual({
      status: 422,
      message: expect.stringMatching(
        /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: .*compilation failed/s,
      ),
    });
    expect((await api.send(`${path}/invalid`)).status).toBe(404);
  });
});

test(`${suite} should mutate everything except 'skip-me' configmaps [Conformance]`, async () => {
  const path = `${root}/mutatingwebhookconfigurations`;
  await api.create(
    path,
    configuration("skips", [{ name: "skip-me", expression: "object.metadata.name != 'skip-me'" }]),
  );
  const make = async (name: string) =>
    (await api.create(`${namespace}/configmaps`, { metadata: { name }, data: { started: "yes" } }))["data"];
  expect(await make("skip-me")).toEqual({ started: "yes" });
  expect(await make("other")).toEqual({ started: "yes", mutation: "yes" });
  await api.delete(`${path}/skips`);
});
