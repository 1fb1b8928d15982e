import { readFile } from "node:fs/promises";
import { Agent as HttpAgent, request as askHttp } from "node:http";
import { Agent as HttpsAgent, request as askHttps } from "node:https";
import { parseDuration } from "../apimachinery/index.ts";
import { readAuditPolicy } from "../apiserver/http/index.ts";
import type { AuditMode, AuditSettings } from "../apiserver/http/index.ts";
import type { LoadedKubeconfig } from "../client/http/index.ts";
import type { AuditFlagName, AuditTexts } from "./audit-flags.ts";
import { UsageError } from "./flags.ts";

const modes: readonly AuditMode[] = ["batch", "blocking", "blocking-strict"];
const formats = ["json", "legacy"] as const;
const counts: readonly AuditFlagName[] = ["audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"];
const positive: readonly AuditFlagName[] = [
  "audit-webhook-batch-buffer-size",
  "audit-webhook-batch-max-size",
];

/** Throws when what is said of audit makes no sense, as far as it can be told without the files. */
export function checkAuditTexts(texts: AuditTexts): void {
  const { "audit-log-mode": mode, "audit-log-format": format } = texts;
  if (mode !== undefined && !modes.some((one) => one === mode)) {
    throw new UsageError(`invalid audit log mode ${mode}, allowed modes are ${quoted(modes)}`);
  }
  if (format !== undefined && !formats.some((one) => one === format)) {
    throw new UsageError(`invalid audit log format ${format}, allowed formats are ${quoted(formats)}`);
  }
  for (const name of counts) {
    if (Number(texts[name] ?? 0) < 0) {
      throw new UsageError(`--${name} ${texts[name]} can't be a negative number`);
    }
  }
  for (const name of positive) {
    if (Number(texts[name] ?? 1) <= 0) throw new UsageError(`--${name} ${texts[name]} must be positive`);
  }
  for (const name of ["audit-webhook-initial-backoff", "audit-webhook-batch-max-wait"] as const) {
    const text = texts[name];
    if (text === undefined) continue;
    try {
      milliseconds(text);
    } catch (error) {
      throw new UsageError(`--${name} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const quoted = (words: readonly string[]): string => JSON.stringify(words.join(","));

/** What the texts say is recorded; nothing without a policy, as upstream. */
export async function auditSettings(texts: AuditTexts): Promise<{ readonly audit?: AuditSettings }> {
  const policyFile = texts["audit-policy-file"];
  if (policyFile === undefined) return {};
  const policy = await readPolicy(policyFile);
  const [log, webhook] = [logSettings(texts), await webhookSettings(texts)];
  return { audit: { policy, ...(log ? { log } : {}), ...(webhook ? { webhook } : {}) } };
}

async function readPolicy(file: string): Promise<AuditSettings["policy"]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`loading audit policy file: failed to read file path ${why(file, error)}`);
  }
  try {
    return await readAuditPolicy(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`loading audit policy file: ${reason}: from file ${file}`);
  }
}

const why = (file: string, error: unknown): string =>
  `${JSON.stringify(file)}: ${error instanceof Error ? error.message : String(error)}`;

function logSettings(texts: AuditTexts): AuditSettings["log"] {
  const path = texts["audit-log-path"];
  if (path === undefined || path === "") return undefined;
  return {
    path,
    mode: (texts["audit-log-mode"] ?? "blocking") as AuditMode,
    format: texts["audit-log-format"] === "legacy" ? "legacy" : "json",
    compress: texts["audit-log-compress"] === "true",
    maxAge: Number(texts["audit-log-maxage"] ?? 0),
    maxBackups: Number(texts["audit-log-maxbackup"] ?? 0),
    maxSize: Number(texts["audit-log-maxsize"] ?? 0),
  };
}

async function webhookSettings(texts: AuditTexts): Promise<AuditSettings["webhook"]> {
  const file = texts["audit-webhook-config-file"];
  if (file === undefined || file === "") return undefined;
  const { loadKubeconfig } = await import("../client/http/index.ts");
  const { options } = await loadKubeconfig({ file });
  const number = (name: AuditFlagName, key: string) => {
    const text = texts[name];
    return text === undefined ? {} : { [key]: /^\d+$/.test(text) ? Number(text) : milliseconds(text) };
  };
  return {
    ...posterOf(options),
    ...number("audit-webhook-initial-backoff", "initialBackoff"),
    ...number("audit-webhook-batch-buffer-size", "bufferSize"),
    ...number("audit-webhook-batch-max-size", "batchSize"),
    ...number("audit-webhook-batch-max-wait", "longestWait"),
  };
}

/** Sends to any server, also those that do not speak HTTP/2. */
function posterOf(
  options: LoadedKubeconfig["options"],
): Pick<NonNullable<AuditSettings["webhook"]>, "post" | "close"> {
  const url = new URL(options.server);
  const secure = url.protocol === "https:";
  const { ca, cert, key, tlsServerName: servername } = options;
  const tls = { ca, cert, key, servername, rejectUnauthorized: options.insecureSkipTlsVerify !== true };
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
  const ask = secure ? askHttps : askHttp;
  const tokenOf = async () => (options.tokenFile ? readFile(options.tokenFile, "utf8") : options.token);
  const post = async (body: string) => {
    const token = (await tokenOf())?.trim();
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    return new Promise<number>((resolve, reject) => {
      const asking = ask(url, { method: "POST", agent, headers, timeout: longestRequest }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
        response.on("error", reject);
      });
      asking.on("timeout", () => asking.destroy(new Error("the audit webhook did not answer in time")));
      asking.on("error", reject);
      asking.end(body);
    });
  };
  return { post, close: () => agent.destroy() };
}

/** As long as upstream's clients of webhooks wait. */
const longestRequest = 30_000;

const milliseconds = (text: string): number => Number(parseDuration(text)) / 1e6;
