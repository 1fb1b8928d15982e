import { afterEach, beforeEach, expect, test } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { keyOf } from "../apimachinery/index.ts";
import type { Client, UserInfo } from "../api/index.ts";
import { generateServiceAccountKey } from "../apiserver/authentication/index.ts";
import { CertificateSigningRequest } from "../api/types/certificates-v1.ts";
import { ConfigMap, Secret, ServiceAccount } from "../api/types/core-v1.ts";
import { ClusterRoleBinding } from "../api/types/rbac-v1.ts";
import { createMemoryStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { createControlPlane } from "./control-plane.ts";
import type { ControlPlane } from "./control-plane.ts";

const administrator: UserInfo = { name: "admin", groups: ["system:masters"] };
const clock = () => new VirtualClock(Date.UTC(2026, 0, 2));
/** Made by openssl for /O=system:nodes/CN=system:node:one. */
const nodeRequest =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIc01JR1RBZ0VBTURFeEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVZTUJZR0ExVUVBd3dQYzNsegpkR1Z0T201dlpHVTZiMjVsTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFVVhlVWh6MG9KKytoCnRaV250N2hhT3ExNE5WVVg1TG1NU0hKOHJnN1R0T0tyQWdWVVZsWE04UmNXb3BmeEJnQ05ubGhScm9WRkJtdy8KamY3RFJGV21DYUFBTUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSVFDUEgvdGg5Z3JINFFnMVY4S0ZsM3hXNWk4dQpBenVsQ2ZobmRiU3Z4eEdMZEFJZ0NjaGRKUGZORnJ0aXR6Si9VMjBKRFJkTi9tSGZNZFdPY0YxK2w2NnFvM009Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";
/** Made by openssl; good until 2126. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBTTCB9KADAgECAhQ9gGSBvhBnwDA8amFp/k2yrOQKLjAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAFjMCAXDTI2MTEyNTEwMjUzNloYDzIxMjYxMTAxMTAyNTM2WjAMMQowCAYDVQQDDAFjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5unUwb53eM5spdN+qi/NvYlCeHA9hu4IuZyLqTz85P8EzUKSaOcG4UhFs2G4Zls8+ar5k79LeE2MoKljxcX7dKMyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQU+yN6R91wItEs83zZXU1IcYYJaEAwCgYIKoZIzj0EAwIDSAAwRQIgP5osMZxjHPaIRSN19FxZyGYzEIMm/YEAkazwlVt2ddgCIQDQbh6adwCSAIkx2UyJ23/8XlTZEGlNed5ZlvSbZfNKvQ==
-----END CERTIFICATE-----
`;

let time: VirtualClock;
let store: Store;
let plane: ControlPlane;
let client: Client;
let stopping: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  time = clock();
  store = createMemoryStore({ clock: time });
  plane = await createControlPlane({
    store,
    clock: time,
    random: seededRandom(1),
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "PEM",
    serviceCIDR: "10.96.0.0/16",
    legacyServiceAccountTokens: true,
    signCertificate: async ({ usages }) => btoa(`signed for ${usages.join()}\n${certificate}`),
  });
  client = plane.clientFor(administrator);
  stopping = new AbortController();
  running = plane.run(stopping.signal);
});
afterEach(async () => {
  stopping.abort();
  await running;
  await plane.close();
  await store.close();
});

/** Lets things happen until `find` answers something. */
async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (let round = 0; round < 200; round++) {
    await time.advance(50);
    const found = await find().catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error("it did not happen");
}

const account = { namespace: "default", name: "default" };
const tracking = { namespace: "kube-system", name: "kube-apiserver-legacy-service-account-token-tracking" };

const tokenSecret = () =>
  eventually(async () => {
    const { secrets = [] } = await client.get(ServiceAccount, account);
    const [reference] = secrets;
    return reference?.name ? client.get(Secret, { namespace: "default", name: reference.name }) : undefined;
  });

test("a secret's token authenticates, its use is noted, and a mark ends it", async () => {
  const secret = await tokenSecret();
  const bearerToken = atob(secret.data?.["token"] ?? "");
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  expect(await plane.authenticator.authenticate({ bearerToken, warn })).toMatchObject({
    name: "system:serviceaccount:default:default",
  });
  expect(warnings).toEqual([
    "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.",
  ]);
  const used = await client.get(Secret, keyOf(secret));
  expect(used.metadata.labels).toEqual({ "kubernetes.io/legacy-token-last-used": "2026-01-02" });
  await plane.authenticator.authenticate({ bearerToken });
  const again = await client.get(Secret, keyOf(secret));
  expect(again.metadata.resourceVersion).toBe(used.metadata.resourceVersion);
  const labels = { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" };
  await client.patch(Secret, keyOf(secret), { type: "merge", body: { metadata: { labels } } });
  await expect(plane.authenticator.authenticate({ bearerToken })).rejects.toThrow("Unauthorized");
});

test("since when uses are noted is written down, and again when it is lost", async () => {
  const first = await eventually(() => client.get(ConfigMap, tracking));
  expect(first.data).toEqual({ since: "2026-01-02" });
  await client.delete(ConfigMap, tracking);
  const second = await eventually(() => client.get(ConfigMap, tracking));
  expect(second.metadata.uid).not.toBe(first.metadata.uid);
  await client.update(ConfigMap, { ...second, data: { since: "yesterday" } });
  const mended = await eventually(async () => {
    const { data } = await client.get(ConfigMap, tracking);
    return data?.["since"] === "yesterday" ? undefined : data;
  });
  expect(mended).toEqual({ since: "2026-01-02" });
});

test("a kubelet's request for its identity is approved and signed where roles allow it", async () => {
  const roles = "system:certificates.k8s.io:certificatesigningrequests:nodeclient";
  await client.create<ClusterRoleBinding>(ClusterRoleBinding, {
    metadata: { name: "bootstrap" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: roles },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:masters" }],
  });
  await client.create<CertificateSigningRequest>(CertificateSigningRequest, {
    metadata: { name: "one" },
    spec: {
      request: nodeRequest,
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages: ["digital signature", "client auth"],
    },
  });
  const status = await eventually(async () => {
    const request = await client.get(CertificateSigningRequest, { name: "one" });
    return request.status?.certificate ? request.status : undefined;
  });
  expect(status.conditions).toMatchObject([{ type: "Approved", status: "True", reason: "AutoApproved" }]);
  expect(atob(status.certificate ?? "")).toBe(`signed for digital signature,client auth\n${certificate}`);
});
