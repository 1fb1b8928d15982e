import { DecodeError, parseJson, readYaml } from "../../apimachinery/codec/index.ts";
import { HookCallError, nestingProblem } from "../admission/webhooks/index.ts";

/** What a webhook's server answered. */
export interface HookAnswer {
  readonly status: number;
  readonly type: string;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;
  readonly body: string;
}

const successes = { from: 200, to: 206 };
const noKind = "couldn't get version/kind; json parse error: ";

/** The answer as a value; anything else is an error in the words of upstream's client. Rejects with `HookCallError`. */
export async function readAnswer(answer: HookAnswer): Promise<unknown> {
  const { status, type, body } = answer;
  if (status < successes.from || status > successes.to) throw failureOf(answer);
  if (body === "") {
    throw new HookCallError(`0-length response with status code: ${status} and content type: ${type}`);
  }
  const isJson = isObject(body);
  try {
    if (isJson || body.length > longestYaml) return parsed(body);
    return (await readYaml(body)).value;
  } catch (error) {
    if (error instanceof DecodeError) throw new HookCallError(`${isJson ? noKind : ""}${error.message}`);
    throw error;
  }
}

/** What is no object of JSON is taken for YAML, which takes its time to read; nobody answers much of it. */
const longestYaml = 64 * 1024;
const isObject = (text: string) => /^\s*\{/.test(text);

function parsed(text: string): unknown {
  const problem = nestingProblem(text);
  if (problem !== undefined) throw new DecodeError(problem);
  return parseJson(text);
}

const statusMessages: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};
/** Statuses of which only the server can say more. */
const explained = new Set([403, 406, 415]);
const serverError = 500;
const longestShown = 2_048;

function failureOf({ status, type, body }: HookAnswer): HookCallError {
  const own = ownStatus(body);
  if (own) return new HookCallError(own.message ?? "", { code: own.code ?? status });
  const isText = type === "" || type.startsWith("text/");
  const said = isText ? body.slice(0, longestShown).trim() : "unknown";
  return new HookCallError(messageOf(status, said), { code: status });
}

function messageOf(status: number, said: string): string {
  const known = statusMessages[status];
  if (known !== undefined) return known;
  if (explained.has(status)) return said;
  return status < serverError
    ? `the server responded with the status code ${status} but did not return more information`
    : `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
}

/** A Status that says what failed. */
function ownStatus(body: string): { readonly message?: string; readonly code?: number } | undefined {
  if (!isObject(body)) return undefined;
  try {
    const value = parsed(body) as Readonly<Record<string, unknown>>;
    const { kind = "Status", apiVersion = "v1", status, message, code } = value;
    if (kind !== "Status" || apiVersion !== "v1" || status !== "Failure") return undefined;
    return {
      ...(typeof message === "string" ? { message } : {}),
      ...(typeof code === "number" ? { code } : {}),
    };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
