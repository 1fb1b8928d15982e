import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyOf } from "../../apimachinery/index.ts";
import { Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { tokensController } from "../serviceaccount/index.ts";
import { Harness } from "../testing/harness.ts";
import { judgeSecret } from "./cleaner-controller.ts";
import { legacyTokensController } from "./index.ts";

const type = "kubernetes.io/service-account-token";
const metadata = { name: "bot", namespace: "shop" };

describe("tokens of accounts", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
  });
  afterEach(() => harness.stop());
  const start = (legacyServiceAccountTokens: boolean) =>
    harness.start([tokensController, legacyTokensController], {
      settings: {
        legacyServiceAccountTokens,
        signSecretToken: async ({ serviceAccount, secret }) =>
          `token of ${serviceAccount.name} in ${secret.name}`,
      },
    });
  const secretNames = async () => (await harness.list(Secret)).map((secret) => secret.metadata.name);
  const references = async () =>
    (await harness.list(ServiceAccount)).flatMap((account) => account.secrets ?? []).map(({ name }) => name);

  test("every account gets one, another when it is deleted, and none is left of deleted accounts", async () => {
    start(true);
    const account = await harness.create(ServiceAccount, { metadata });
    await harness.settle();
    const [secret] = await harness.list(Secret);
    expect(secret?.metadata.name).toMatch(/^bot-token-[a-z0-9]{5}$/);
    expect(secret).toMatchObject({
      type,
      metadata: {
        annotations: {
          "kubernetes.io/service-account.name": "bot",
          "kubernetes.io/service-account.uid": account.metadata.uid,
        },
      },
      data: {
        "ca.crt": btoa("PEM"),
        namespace: btoa("shop"),
        token: btoa(`token of bot in ${secret?.metadata.name}`),
      },
    });
    expect(await references()).toEqual([secret?.metadata.name]);
    await harness.client.delete(Secret, keyOf(secret as Secret));
    await harness.settle();
    const [next, ...others] = await secretNames();
    expect(others).toEqual([]);
    expect(next).not.toBe(secret?.metadata.name);
    expect(await references()).toEqual([next]);
    await harness.client.delete(ServiceAccount, keyOf(account));
    await harness.settle();
    expect(await secretNames()).toEqual([]);
  });

  test("by default none is made; one made by hand is filled, and forgotten with it", async () => {
    start(false);
    const account = await harness.create(ServiceAccount, {
      metadata,
      secrets: [{ name: "mine" }, { name: "other" }],
    });
    const annotations = { "kubernetes.io/service-account.name": "bot" };
    const secret = await harness.create(Secret, {
      type,
      metadata: { name: "mine", namespace: "shop", annotations },
    });
    await harness.settle();
    expect(await secretNames()).toEqual(["mine"]);
    const [filled] = await harness.list(Secret);
    expect(atob(filled?.data?.["token"] ?? "")).toBe("token of bot in mine");
    expect(filled?.metadata.annotations?.["kubernetes.io/service-account.uid"]).toBe(account.metadata.uid);
    await harness.client.delete(Secret, keyOf(secret));
    await harness.settle();
    expect(await references()).toEqual(["other"]);
  });
});

describe("unused tokens", () => {
  const now = Date.UTC(2026, 5, 15);
  const secret = (labels: object, creationTimestamp = "2020-01-01T00:00:00Z") =>
    ({ metadata: { labels, creationTimestamp } }) as unknown as Secret;
  const used = "kubernetes.io/legacy-token-last-used";
  const invalid = "kubernetes.io/legacy-token-invalid-since";
  const marked = { type: "mark", since: "2026-06-15" };
  test.each([
    ["a young one", secret({}, "2026-01-01T00:00:00Z"), { type: "keep" }],
    ["one never used", secret({}), marked],
    ["one used this year", secret({ [used]: "2025-12-31" }), { type: "keep" }],
    ["one used long ago", secret({ [used]: "2024-12-31" }), marked],
    ["one used at no day", secret({ [used]: "soon" }), { type: "keep" }],
    ["one marked this year", secret({ [invalid]: "2026-01-01" }), { type: "keep" }],
    ["one marked long ago", secret({ [invalid]: "2025-01-01" }), { type: "delete" }],
  ])("%s", (_, given, verdict) => expect(judgeSecret(given, now)).toEqual(verdict));
});
