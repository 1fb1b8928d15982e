import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { auditSettings, checkAuditTexts } from "./audit-settings.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kubets-audit-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function policyFile(
  text = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n",
): string {
  const file = join(directory, "policy.yaml");
  writeFileSync(file, text);
  return file;
}

test("without a policy nothing is recorded", async () => {
  expect(await auditSettings({ "audit-log-path": "/var/log/audit.log" })).toEqual({});
});

test("a log", async () => {
  const { audit } = await auditSettings({
    "audit-policy-file": policyFile(),
    "audit-log-path": "/var/log/audit.log",
    "audit-log-maxsize": "5",
    "audit-log-mode": "batch",
    "audit-log-compress": "true",
  });
  expect(audit).toMatchObject({
    policy: { rules: [{ level: "Metadata" }] },
    log: {
      path: "/var/log/audit.log",
      mode: "batch",
      format: "json",
      maxSize: 5,
      maxBackups: 0,
      compress: true,
    },
  });
});

test("a webhook, at the path that its kubeconfig says", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(directory, "webhook.yaml");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}/audit?x=y` } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  const { audit } = await auditSettings({
    "audit-policy-file": policyFile(),
    "audit-webhook-config-file": kubeconfig,
    "audit-webhook-batch-max-wait": "5s",
    "audit-webhook-batch-max-size": "7",
  });
  expect(audit?.webhook).toMatchObject({ longestWait: 5_000, batchSize: 7 });
  expect(await audit?.webhook?.post("[]")).toBe(202);
  expect(asked).toEqual(["POST /audit?x=y Bearer t []"]);
  audit?.webhook?.close?.();
  await new Promise((resolve) => server.close(resolve));
});

test.each([
  [{ "audit-policy-file": "/none" }, 'failed to read file path "/none"'],
  [
    { "audit-policy-file": "bad" },
    "loading audit policy file: loaded illegal policy with 0 rules: from file",
  ],
])("%o is refused", async (texts, message) => {
  const file = texts["audit-policy-file"];
  const own = file === "bad" ? policyFile("apiVersion: audit.k8s.io/v1\nkind: Policy\n") : file;
  await expect(auditSettings({ "audit-policy-file": own })).rejects.toThrow(message);
});

test.each([
  [{ "audit-log-mode": "x" }, 'invalid audit log mode x, allowed modes are "batch,blocking,blocking-strict"'],
  [{ "audit-log-format": "x" }, 'invalid audit log format x, allowed formats are "json,legacy"'],
  [{ "audit-log-maxage": "-1" }, "--audit-log-maxage -1 can't be a negative number"],
  [{ "audit-webhook-batch-max-wait": "x" }, '--audit-webhook-batch-max-wait time: invalid duration "x"'],
])("%o makes no sense", (texts, message) => {
  expect(() => checkAuditTexts(texts)).toThrow(message);
});
