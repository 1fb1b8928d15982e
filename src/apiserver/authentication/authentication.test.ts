import { beforeAll, describe, expect, test } from "vitest";
import { VirtualClock, seededRandom } from "../../base/index.ts";
import { Node, Pod, Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import {
  bootstrapTokens,
  createAuthenticator,
  createTokenIssuer,
  evaluateTokenReview,
  generateServiceAccountKey,
  parseTokenFile,
  staticTokens,
  unionTokens,
} from "./index.ts";
import type { ServiceAccountKey } from "./index.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const meta = (name: string, uid: string, namespace?: string) => ({
  name,
  uid,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...(namespace === undefined ? {} : { namespace }),
});

let key: ServiceAccountKey;
beforeAll(async () => {
  key = await generateServiceAccountKey();
});

function setUp() {
  const reader = memoryReader();
  const clock = new VirtualClock();
  const tokens = createTokenIssuer({ key, issuer, clock, random: seededRandom(1), reader });
  const serviceAccount: ServiceAccount = { metadata: meta("bot", "sa-1", "shop") };
  reader.put(ServiceAccount, serviceAccount);
  reader.put(Node, { metadata: meta("one", "node-1"), spec: {}, status: {} } as unknown as Node);
  reader.put(Pod, {
    metadata: meta("web", "pod-1", "shop"),
    spec: { serviceAccountName: "bot", nodeName: "one", containers: [] },
    status: {},
  });
  return { reader, clock, tokens, serviceAccount };
}

const podReference = { kind: "Pod", apiVersion: "v1", name: "web", uid: "pod-1" };
const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as unknown;

describe("service account tokens", () => {
  test("have upstream's claims and name the account", async () => {
    const { tokens, serviceAccount } = setUp();
    const { spec, status } = await tokens.issue({
      serviceAccount,
      spec: { boundObjectRef: podReference, expirationSeconds: 600 },
    });
    expect(spec).toMatchObject({ audiences: [issuer], expirationSeconds: 600 });
    expect(status.expirationTimestamp).toBe("2026-01-01T00:10:00Z");
    const seconds = Date.UTC(2026, 0, 1) / 1000;
    expect(payloadOf(status.token)).toEqual({
      aud: [issuer],
      exp: seconds + 600,
      iat: seconds,
      iss: issuer,
      jti: expect.any(String),
      "kubernetes.io": {
        namespace: "shop",
        node: { name: "one", uid: "node-1" },
        pod: { name: "web", uid: "pod-1" },
        serviceaccount: { name: "bot", uid: "sa-1" },
      },
      nbf: seconds,
      sub: "system:serviceaccount:shop:bot",
    });
    const identity = await tokens.authenticateToken(status.token, [issuer]);
    expect(identity?.user).toMatchObject({
      name: "system:serviceaccount:shop:bot",
      uid: "sa-1",
      groups: ["system:serviceaccounts", "system:serviceaccounts:shop"],
      extra: { "authentication.kubernetes.io/pod-name": ["web"] },
    });
  });

  test("asked for by a kubelet for a pod live on past their warning", async () => {
    const { tokens, serviceAccount } = setUp();
    const spec = { boundObjectRef: podReference, expirationSeconds: 3607 };
    const { status } = await tokens.issue({ serviceAccount, spec });
    const { exp, iat, ...rest } = payloadOf(status.token) as Record<string, number> & {
      "kubernetes.io": { warnafter: number };
    };
    expect(exp).toBe((iat ?? 0) + 365 * 24 * 3600);
    expect(rest["kubernetes.io"].warnafter).toBe((iat ?? 0) + 3607);
    expect(status.expirationTimestamp).toBe("2026-01-01T01:00:07Z");
  });

  const refusals: [string, (context: ReturnType<typeof setUp>) => void | Promise<void>, string][] = [
    ["expired", ({ clock }) => clock.advance(3_600_000 + 61_000), "service account token has expired"],
    [
      "account gone",
      ({ reader }) => reader.remove(ServiceAccount, { namespace: "shop", name: "bot" }),
      "service account token has been invalidated",
    ],
    [
      "account made anew",
      ({ reader }) => reader.put(ServiceAccount, { metadata: meta("bot", "sa-2", "shop") }),
      "service account UID (sa-2) does not match claim (sa-1)",
    ],
    [
      "pod gone",
      ({ reader }) => reader.remove(Pod, { namespace: "shop", name: "web" }),
      "service account token has been invalidated",
    ],
    [
      "pod made anew",
      ({ reader }) =>
        reader.put(Pod, { metadata: meta("web", "pod-2", "shop"), spec: {}, status: {} } as unknown as Pod),
      "pod UID (pod-2) does not match service account pod ref claim (pod-1)",
    ],
  ];
  test.each(refusals)("are refused when %s", async (_, change, message) => {
    const context = setUp();
    const { serviceAccount, tokens } = context;
    const { status } = await tokens.issue({ serviceAccount, spec: { boundObjectRef: podReference } });
    expect(await tokens.authenticateToken(status.token, [issuer])).toBeDefined();
    await change(context);
    const review = await evaluateTokenReview({ tokens, apiAudiences: [issuer] }, { token: status.token });
    expect(review).toEqual({ user: {}, error: `[invalid bearer token, ${message}]` });
  });

  test("are refused when forged, unsigned or for others", async () => {
    const { tokens, serviceAccount } = setUp();
    const { status } = await tokens.issue({ serviceAccount, spec: { audiences: ["vault"] } });
    const [header = "", claims = "", signature = ""] = status.token.split(".");
    const forged = Buffer.from(Buffer.from(claims, "base64url").toString().replace("shop", "kube")).toString(
      "base64url",
    );
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    await expect(tokens.authenticateToken(`${header}.${forged}.${signature}`, ["vault"])).rejects.toThrow(
      "invalid signature",
    );
    await expect(tokens.authenticateToken(`${none}.${claims}.${signature}`, ["vault"])).rejects.toThrow(
      "invalid signature",
    );
    await expect(tokens.authenticateToken(status.token, [issuer])).rejects.toThrow(
      `token audiences ["vault"] is invalid for the target audiences ["${issuer}"]`,
    );
    expect(await tokens.authenticateToken("a.b.c", [issuer])).toBe(undefined);
  });

  test("requests are checked", async () => {
    const { tokens, serviceAccount } = setUp();
    const issue = (spec: Parameters<typeof tokens.issue>[0]["spec"]) =>
      tokens.issue({ serviceAccount, spec });
    await expect(issue({ expirationSeconds: 599 })).rejects.toThrow(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    );
    await expect(issue({ boundObjectRef: { ...podReference, name: "db" } })).rejects.toThrow(
      'pods "db" not found',
    );
    await expect(issue({ boundObjectRef: { ...podReference, uid: "x" } })).rejects.toThrow(
      "does not match the UID in record",
    );
    await expect(issue({ boundObjectRef: { ...podReference, kind: "Job" } })).rejects.toThrow(
      "cannot bind token to object of type /v1, Kind=Job",
    );
    await expect(issue({ boundObjectRef: { ...podReference, apiVersion: "a/v1" } })).rejects.toThrow(
      "cannot bind token to object of type a/v1, Kind=Pod",
    );
  });

  test("name the node of a pod also when it is gone", async () => {
    const { reader, tokens, serviceAccount } = setUp();
    reader.remove(Node, { name: "one" });
    const { status } = await tokens.issue({ serviceAccount, spec: { boundObjectRef: podReference } });
    expect(payloadOf(status.token)).toMatchObject({ "kubernetes.io": { node: { name: "one" } } });
    const answer = await tokens.authenticateToken(status.token, [issuer]);
    expect(answer?.user.extra).not.toHaveProperty("authentication.kubernetes.io/node-uid");
    expect(answer?.user.extra).toMatchObject({ "authentication.kubernetes.io/node-name": ["one"] });
  });

  test("live no longer than asked for where no pod holds them", async () => {
    const { tokens, serviceAccount } = setUp();
    const { status } = await tokens.issue({ serviceAccount, spec: { expirationSeconds: 3607 } });
    const { exp, iat } = payloadOf(status.token) as Record<string, number>;
    expect(exp).toBe((iat ?? 0) + 3607);
  });

  test("of secrets are good while the secret holds them", async () => {
    const { reader, tokens, serviceAccount } = setUp();
    const token = await tokens.issueLegacy({ serviceAccount, secret: "bot-token" });
    const put = (value: string) =>
      reader.put(Secret, { metadata: meta("bot-token", "s", "shop"), data: { token: btoa(value) } });
    put(token);
    expect((await tokens.authenticateToken(token, [issuer]))?.user.name).toBe(
      "system:serviceaccount:shop:bot",
    );
    put("another");
    await expect(tokens.authenticateToken(token, [issuer])).rejects.toThrow(
      "Token does not match server's copy",
    );
  });

  test("the discovery documents name the key", () => {
    const { tokens } = setUp();
    expect(tokens.jwks().keys).toEqual([
      {
        use: "sig",
        kid: key.keyId,
        alg: "ES256",
        kty: "EC",
        crv: "P-256",
        x: expect.any(String),
        y: expect.any(String),
      },
    ]);
    expect(tokens.openIdConfiguration()["jwks_uri"]).toBe(`${issuer}/openid/v1/jwks`);
  });
});

describe("requests", () => {
  const authenticator = createAuthenticator({
    tokens: unionTokens([staticTokens(parseTokenFile('secret,ann,7,"devs,ops"\n'))]),
    apiAudiences: [issuer],
  });
  test("certificates, tokens, neither, wrong", async () => {
    expect(
      await authenticator.authenticate({ certificate: { commonName: "bob", organizations: ["devs"] } }),
    ).toEqual({ name: "bob", groups: ["devs", "system:authenticated"] });
    expect(await authenticator.authenticate({ bearerToken: "secret" })).toEqual({
      name: "ann",
      uid: "7",
      groups: ["devs", "ops", "system:authenticated"],
    });
    expect(await authenticator.authenticate({})).toBe(undefined);
    await expect(authenticator.authenticate({ bearerToken: "wrong" })).rejects.toMatchObject({
      message: "Unauthorized",
      code: 401,
    });
  });

  test("bootstrap tokens let nodes join until they expire", async () => {
    const reader = memoryReader();
    const clock = new VirtualClock();
    const data = {
      "token-id": "abcdef",
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-authentication": "true",
      "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
      expiration: "2026-01-01T01:00:00Z",
    };
    reader.put(Secret, {
      metadata: meta("bootstrap-token-abcdef", "s", "kube-system"),
      type: "bootstrap.kubernetes.io/token",
      data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, btoa(value)])),
    });
    const tokens = bootstrapTokens({ reader, clock });
    const ask = (token: string) => tokens.authenticateToken(token, [issuer]);
    expect((await ask("abcdef.0123456789abcdef"))?.user).toEqual({
      name: "system:bootstrap:abcdef",
      groups: ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"],
    });
    expect(await ask("abcdef.0123456789abcdee")).toBe(undefined);
    await clock.advance(3_600_001);
    expect(await ask("abcdef.0123456789abcdef")).toBe(undefined);
  });
});
