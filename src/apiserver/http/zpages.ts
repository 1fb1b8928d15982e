import { ApiError, timestampOf } from "../../apimachinery/index.ts";
import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import type { PathHandler } from "./endpoints.ts";
import type { Exchange } from "./exchange.ts";
import type { Incoming } from "./filters/filter.ts";

const component = "kube-apiserver";
const group = "config.k8s.io";
const versions = ["v1alpha1", "v1beta1"];
const warning =
  "Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.";
/** One of them is drawn for each answer, so that nobody comes to rely on it. */
const delimiters = [":", ": ", "=", " "];

export interface ZPagesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly started: Milliseconds;
  readonly goVersion: string;
  /** Without its `v`. */
  readonly binaryVersion: string;
  /** Settings as flags: name to value. */
  readonly flags: Readonly<Partial<Record<string, string>>>;
  /** Paths worth a look. */
  readonly paths: readonly string[];
}

/** Serves `/statusz` and `/flagz`: text for people, objects for those who ask for one. */
export function zPages(options: ZPagesOptions): PathHandler {
  return (request) => {
    switch (request.exchange.path) {
      case "/statusz":
        answer(request, { kind: "Statusz", text: () => statusText(options), content: () => status(options) });
        return true;
      case "/flagz":
        answer(request, {
          kind: "Flagz",
          text: () => flagsText(options),
          content: () => ({ flags: options.flags }),
        });
        return true;
      default:
        return false;
    }
  };
}

function answer(
  { exchange, headers }: Pick<Incoming, "exchange" | "headers">,
  page: { readonly kind: string; readonly text: () => string; readonly content: () => object },
): void {
  const version = wantedVersion(exchange, page.kind);
  if (version === undefined) {
    const all = { ...headers, "content-type": "text/plain; charset=utf-8" };
    return exchange.respond(200, all, Buffer.from(page.text()));
  }
  const object = {
    kind: page.kind,
    apiVersion: `${group}/${version}`,
    metadata: { name: component },
    ...page.content(),
  };
  const all = { ...headers, "content-type": "application/json" };
  exchange.respond(200, all, Buffer.from(`${JSON.stringify(object)}\n`));
}

/** The version of the object that is asked for; undefined when text will do; throws `NotAcceptable`. */
function wantedVersion(exchange: Exchange, kind: string): string | undefined {
  const { accept } = exchange.headers;
  if (accept === undefined || accept.trim() === "") return undefined;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (["text/plain", "text/*", "*/*"].includes(type)) return undefined;
    const given = Object.fromEntries(parameters.map((one) => one.split("=", 2) as [string, string?]));
    if (type !== "application/json" || given["as"] !== kind || given["g"] !== group) continue;
    const version = versions.find((one) => one === given["v"]);
    if (version !== undefined) return version;
  }
  const structured = versions.map((version) => `application/json;v=${version};g=${group};as=${kind}`);
  const all = ["text/plain", ...structured].join(", ");
  throw ApiError.notAcceptable(`only the following media types are accepted: ${all}`);
}

const delimiter = ({ random }: ZPagesOptions): string =>
  delimiters[Math.floor(random.next() * delimiters.length)] ?? ":";

function statusText(options: ZPagesOptions): string {
  const { clock, started, goVersion, binaryVersion, paths } = options;
  const seconds = Math.floor((clock.now() - started) / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const mark = delimiter(options);
  const up = `${Math.floor(seconds / 3_600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
  const rows = [
    ["Started", unixDate(started)],
    ["Up", up],
    ["Go version", goVersion],
    ["Binary version", binaryVersion],
    ["Emulation version", minorOf(binaryVersion)],
    ["Paths", paths.join(" ")],
  ];
  const lines = rows.map(([name, value]) => `${name}${mark} ${value}`);
  return `\n${component} statusz\n${warning}\n\n${lines.join("\n")}\n`;
}

function status({ clock, started, goVersion, binaryVersion, paths }: ZPagesOptions): object {
  return {
    startTime: timestampOf(started),
    uptimeSeconds: Math.floor((clock.now() - started) / 1_000),
    goVersion,
    binaryVersion,
    emulationVersion: minorOf(binaryVersion),
    paths,
  };
}

function flagsText(options: ZPagesOptions): string {
  const mark = delimiter(options);
  const lines = Object.entries(options.flags)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}${mark}${value}\n`);
  return `\n${component} flags\n${warning}\n\n${lines.join("")}`;
}

const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

/** `Wed Nov 25 09:43:20 UTC 2026`. */
function unixDate(time: Milliseconds): string {
  const [weekday = "", day = "", month = "", year = "", clock = ""] = new Date(time)
    .toUTCString()
    .replace(",", "")
    .split(" ");
  return `${weekday} ${month} ${day.replace(/^0/, " ")} ${clock} UTC ${year}`;
}
