import { flagOf } from "../http/index.ts";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import type { BodyStream, ConnectRequest, Upgrade } from "../http/index.ts";
import type { ObjectReader } from "../reader.ts";
import { copyBody } from "./copy-body.ts";
import { dialMessage, hostAndPort } from "./kubelets.ts";
import type { Endpoint, Kubelets } from "./kubelets.ts";
import { containerOf, podOf } from "./pod-container.ts";

/** Of a kubelet's refusal no more is read. */
const longestRefusal = 50_000;

/** Serves `pods/log` out of the kubelet's answer. */
export async function serveLog(
  call: ConnectRequest,
  { reader, kubelets }: { readonly reader: ObjectReader; readonly kubelets: Kubelets },
): Promise<void> {
  const { exchange, key, headers, signal } = call;
  if (exchange.method !== "GET" && exchange.method !== "HEAD") {
    throw ApiError.methodNotSupported({ group: "", resource: "pods" }, exchange.method.toLowerCase());
  }
  const pod = podOf(reader, key);
  const query = kubeletQuery(exchange.query, key.name);
  const container = containerOf(pod, exchange.query.get("container") ?? "");
  const head = { ...headers, "content-type": "text/plain" };
  const openBody = () => (call.upgrade ? openSocket(call.upgrade) : exchange.stream(200, head));
  // A pod without a node has said nothing yet.
  if (!pod.spec.nodeName) return (await openBody()).end();
  const endpoint = kubelets.endpoint(pod.spec.nodeName);
  const path = `/containerLogs/${encodeURIComponent(key.namespace ?? "")}/${encodeURIComponent(key.name)}/${encodeURIComponent(container)}${query}`;
  const insecure = flagOf(exchange.query, "insecureSkipTLSVerifyBackend") ?? false;
  const answer = await ask(endpoint, { kubelets, path, signal, insecure });
  if (answer.statusCode !== 200) throw await refusalOf(answer, key.name);
  await copyBody(answer, { body: await openBody(), signal });
}

/** Logs come over a WebSocket to those who ask so, as browsers do. */
async function openSocket(upgrade: Upgrade): Promise<BodyStream> {
  const { acceptOneWay, wantsWebSocket } = await import("../../streaming/websocket/index.ts");
  const socket = wantsWebSocket(upgrade.request.headers) ? await acceptOneWay(upgrade) : undefined;
  if (!socket) throw ApiError.badRequest("websocket protocol not supported");
  return socket;
}

function kubeletQuery(query: URLSearchParams, name: string): string {
  const errors: FieldError[] = [];
  const passed = new URLSearchParams();
  for (const flag of ["follow", "previous", "timestamps"]) {
    if (flagOf(query, flag)) passed.set(flag, "true");
  }
  for (const [field, least] of [
    ["sinceSeconds", 1],
    ["tailLines", 0],
    ["limitBytes", 1],
  ] as const) {
    const text = query.get(field);
    if (text === null || text === "") continue;
    const value = Number(text);
    if (!Number.isInteger(value)) {
      throw ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    if (value < least) {
      const detail = `must be greater than ${least === 0 ? "or equal to " : ""}0`;
      errors.push({ type: "FieldValueInvalid", field, badValue: value, detail });
    }
    passed.set(field, text);
  }
  const sinceTime = query.get("sinceTime") ?? "";
  if (sinceTime !== "") {
    if (passed.has("sinceSeconds")) {
      const detail = "at most one of `sinceTime` or `sinceSeconds` may be specified";
      errors.push({ type: "FieldValueForbidden", field: "", detail });
    }
    passed.set("sinceTime", sinceTime);
  }
  const stream = query.get("stream") ?? "All";
  if (!["All", "Stdout", "Stderr"].includes(stream)) {
    const detail = 'supported values: "All", "Stderr", "Stdout"';
    errors.push({ type: "FieldValueNotSupported", field: "stream", badValue: stream, detail });
  }
  if (stream !== "All" && passed.has("tailLines")) {
    const detail = "`tailLines` and specific `stream` are mutually exclusive for now";
    errors.push({ type: "FieldValueForbidden", field: "", detail });
  }
  if (stream !== "All") passed.set("stream", stream);
  if (errors.length > 0) throw ApiError.invalid({ group: "", kind: "PodLogOptions" }, name, errors);
  return passed.size === 0 ? "" : `?${passed.toString()}`;
}

function ask(
  endpoint: Endpoint,
  options: { kubelets: Kubelets; path: string; signal: AbortSignal; insecure: boolean },
): Promise<IncomingMessage> {
  const { host, port } = endpoint;
  const { path, signal, kubelets, insecure } = options;
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host,
      port,
      path,
      agent: kubelets.agent,
      signal,
      ...(insecure ? { rejectUnauthorized: false } : {}),
    });
    request.on("error", (error) => {
      const message = dialMessage(error, endpoint);
      reject(ApiError.internal(`Get "https://${hostAndPort(endpoint)}${path}": ${message}`));
    });
    request.on("response", resolve);
    request.end();
  });
}

async function refusalOf(answer: IncomingMessage, name: string): Promise<ApiError> {
  let text = "";
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > longestRefusal) break;
  }
  const code = answer.statusCode ?? 500;
  if (code === 500) return ApiError.internal(text);
  if (code === 400) return ApiError.badRequest(text);
  const details = { name, kind: "pods/log" };
  if (code === 404) {
    const message = `the server could not find the requested resource ( pods/log ${name})`;
    return new ApiError({ code, reason: "NotFound", message, details });
  }
  const reason = code === 401 ? "Unauthorized" : code === 403 ? "Forbidden" : "";
  return new ApiError({ code, reason, message: text, details });
}
