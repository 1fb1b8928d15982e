import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseSigningRequest } from "../../api/index.ts";
import type { ParsedRequest } from "../../api/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { ClusterTrustBundle } from "../../api/types/certificates-v1beta1.ts";
import type { New } from "../../apimachinery/index.ts";
import { fixedCatalog } from "../framework/index.ts";
import { Harness } from "../testing/harness.ts";
import { isOver } from "./cleaner-controller.ts";
import { cleanerController, signingController, trustBundlePublisher } from "./index.ts";
import { clusterSigners, validityOf } from "./requests.ts";
import type { ReadableRequest } from "./requests.ts";

const hour = 3_600_000;
const year = 365 * 24 * hour;
/** Made by openssl for /O=system:masters/CN=ann. */
const ann =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIak1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVF3d0NnWURWUVFEREFOaApibTR3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJSZDVTSFBTZ243NkcxbGFlM3VGbzZyWGcxClZSZmt1WXhJY255dUR0TzA0cXNDQlZSV1ZjenhGeGFpbC9FR0FJMmVXRkd1aFVVR2JEK04vc05FVmFZSm9BQXcKQ2dZSUtvWkl6ajBFQXdJRFNRQXdSZ0loQU8wSW0zQ0k2VTYvMUR5UmZyTkxTSVhSUzNLR2xqV1F6R0xXd3hlMwoyQ2NkQWlFQThqKzhFTmlvMzF4bVdEWC9wK21ZK0FBNVMyejdxVmgwSHBScjdBckdCcDg9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

describe("signers", () => {
  const request = (change: Partial<ReadableRequest> = {}): ReadableRequest => ({
    type: "request",
    commonName: "system:node:one",
    organizations: ["system:nodes"],
    dnsNames: [],
    emailAddresses: [],
    ipAddresses: 0,
    uris: [],
    ...change,
  });
  const client = ["client auth", "digital signature", "key encipherment"];
  const server = ["server auth", "digital signature", "key encipherment"];
  const named = { dnsNames: ["one"] };
  const cases: readonly (readonly [
    string,
    Partial<ReadableRequest>,
    readonly string[],
    string | undefined,
  ])[] = [
    ["kube-apiserver-client", {}, client, undefined],
    ["kube-apiserver-client", {}, ["client auth"], undefined],
    [
      "kube-apiserver-client",
      {},
      ["digital signature"],
      "missing required usage for client certificate: client auth",
    ],
    ["kube-apiserver-client", {}, server, "invalid usage for client certificate: server auth"],
    ["kube-apiserver-client-kubelet", {}, client, undefined],
    ["kube-apiserver-client-kubelet", {}, ["digital signature", "client auth"], undefined],
    [
      "kube-apiserver-client-kubelet",
      {},
      server,
      "usages did not match [client auth digital signature key encipherment]",
    ],
    [
      "kube-apiserver-client-kubelet",
      { organizations: ["x"] },
      client,
      "subject organization is not system:nodes",
    ],
    [
      "kube-apiserver-client-kubelet",
      { commonName: "one" },
      client,
      "subject common name does not begin with system:node:",
    ],
    ["kube-apiserver-client-kubelet", named, client, "DNS subjectAltNames are not allowed"],
    ["kube-apiserver-client-kubelet", { ipAddresses: 1 }, client, "IP subjectAltNames are not allowed"],
    ["kubelet-serving", named, server, undefined],
    ["kubelet-serving", {}, server, "DNS or IP subjectAltName is required"],
    ["kubelet-serving", { ...named, uris: ["x"] }, server, "URI subjectAltNames are not allowed"],
    [
      "kubelet-serving",
      named,
      client,
      "usages did not match [digital signature key encipherment server auth]",
    ],
    ["legacy-unknown", { commonName: "x" }, ["any"], undefined],
  ];
  test.each(cases)("%s of %o for %o", (signer, change, usages, problem) => {
    expect(clusterSigners[`kubernetes.io/${signer}`]?.(request(change), usages)).toBe(problem);
  });
});

test.each([
  ["nothing asked for", undefined, year - 300_000],
  ["more than usual", 2 * 365 * 86_400, year - 300_000],
  ["a day", 86_400, 24 * hour - 300_000],
  ["an hour", 3_600, hour],
  ["next to nothing", 1, 600_000],
])("validity: %s", (_, expirationSeconds, life) => {
  const now = 10 * year;
  expect(validityOf({ expirationSeconds, now, usual: year })).toEqual({
    notBefore: now - 300_000,
    notAfter: now + life,
  });
});

const made = (signer: string, conditions: readonly string[] = []): New<CertificateSigningRequest> => ({
  metadata: { name: "ann" },
  spec: { request: ann, signerName: `kubernetes.io/${signer}`, usages: ["client auth"] },
  status: { conditions: conditions.map((type) => ({ type, status: "True" })) },
});

describe("controllers", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
  });
  afterEach(() => harness.stop());
  const one = async () => (await harness.list(CertificateSigningRequest))[0];

  const start = () =>
    harness.start([signingController], {
      settings: { signCertificate: async ({ usages }) => btoa(`signed for ${usages.join()}`) },
    });

  test("approved requests are signed, others wait", async () => {
    start();
    const request = await harness.create(CertificateSigningRequest, made("kube-apiserver-client"));
    await harness.settle();
    expect((await one())?.status?.certificate).toBeUndefined();
    const approval = { status: { conditions: [{ type: "Approved", status: "True" }] } };
    await harness.change(CertificateSigningRequest, request, approval);
    await harness.settle();
    expect(atob((await one())?.status?.certificate ?? "")).toBe("signed for client auth");
  });

  test("what a signer does not sign fails", async () => {
    start();
    await harness.create(CertificateSigningRequest, made("kubelet-serving", ["Approved"]));
    await harness.settle();
    expect((await one())?.status?.conditions?.[1]).toMatchObject({
      type: "Failed",
      reason: "SignerValidationFailure",
      message: "subject organization is not system:nodes",
    });
  });

  test("requests of other signers are left alone", async () => {
    start();
    await harness.create(CertificateSigningRequest, made("other", ["Approved"]));
    await harness.settle();
    expect((await one())?.status?.certificate).toBeUndefined();
  });

  test("requests that nobody judges go after a day", async () => {
    harness.start([cleanerController]);
    await harness.create(CertificateSigningRequest, made("other"));
    await harness.settle(23 * hour);
    expect(await one()).toBeDefined();
    await harness.settle(3 * hour);
    expect(await one()).toBeUndefined();
  });

  test("the authority is published where bundles are served, and earlier ones go", async () => {
    const settings = { rootCertificateAuthority: "PEM" };
    const signerName = "kubernetes.io/kube-apiserver-serving";
    await harness.create(ClusterTrustBundle, {
      metadata: { name: "old" },
      spec: { signerName, trustBundle: "x" },
    });
    await harness.create(ClusterTrustBundle, { metadata: { name: "other" }, spec: { trustBundle: "x" } });
    harness.start([trustBundlePublisher], { settings, catalog: fixedCatalog([ClusterTrustBundle] as never) });
    await harness.settle();
    const bundles = await harness.list(ClusterTrustBundle);
    expect(bundles.map(({ metadata }) => metadata.name).sort()).toEqual([
      expect.stringMatching(/^kubernetes\.io:kube-apiserver-serving:[0-9a-f]{24}$/),
      "other",
    ]);
  });
});

test.each([
  ["just approved", ["Approved"], 0, false],
  ["approved, not issued", ["Approved"], 2 * hour, false],
  ["denied", ["Denied"], 2 * hour, true],
  ["failed", ["Failed"], hour / 2, false],
  ["pending", [], 25 * hour, true],
])("is over: %s", (_, types, age, over) => {
  const time = "2026-01-01T00:00:00Z";
  const conditions = types.map((type) => ({ type, status: "True", lastUpdateTime: time }));
  const request = { metadata: { creationTimestamp: time }, status: { conditions } };
  expect(isOver(request as unknown as CertificateSigningRequest, Date.parse(time) + age)).toBe(over);
});

test("the request of these tests is Ann's", () => {
  expect(parseSigningRequest(ann) as Extract<ParsedRequest, { type: "request" }>).toMatchObject({
    commonName: "ann",
  });
});
