import { readFileSync } from "node:fs";
import { parseDuration } from "../apimachinery/index.ts";
import type { ProxyIdentity } from "../apiserver/aggregation/index.ts";
import type { ServeOptions } from "../apiserver/http/index.ts";
import type { AuditFlagName } from "./audit-flags.ts";
import { checkAuditTexts } from "./audit-settings.ts";
import { UsageError } from "./flags.ts";
import type { FrontFlagName, FrontTexts } from "./front-flags.ts";

type Settings = Partial<ServeOptions>;

/** What each flag sets, out of its text; throws with why it cannot. Those of proxies and of audit work together. */
const readers: Readonly<
  Record<
    Exclude<FrontFlagName, `requestheader-${string}` | `proxy-client-${string}` | AuditFlagName>,
    (text: string) => Settings
  >
> = {
  "max-requests-inflight": (text) => ({ maxRequestsInflight: Number(text) }),
  "max-mutating-requests-inflight": (text) => ({ maxMutatingRequestsInflight: Number(text) }),
  "enable-priority-and-fairness": (text) => ({ priorityAndFairness: text === "true" }),
  "request-timeout": (text) => ({ requestTimeout: milliseconds(text) }),
  "min-request-timeout": (text) => ({ minRequestTimeoutSeconds: Number(text) }),
  "shutdown-delay-duration": (text) => ({ shutdownDelay: milliseconds(text) }),
  "goaway-chance": (text) => ({ goawayChance: chance(text) }),
  "cors-allowed-origins": (text) => ({ corsAllowedOrigins: namesOf(text).map(originPattern) }),
  "strict-transport-security-directives": (text) => ({
    strictTransportSecurityDirectives: namesOf(text).map(directive),
  }),
  "feature-gates": gates,
  profiling: (text) => ({ profiling: text === "true" }),
  "anonymous-auth": (text) => ({ anonymous: text === "true" }),
};

/** What the texts of flags set; throws when one makes no sense. */
export function frontSettings(texts: FrontTexts): Settings {
  let settings: Settings = {};
  for (const [name, read] of Object.entries(readers)) {
    const text = texts[name as keyof typeof readers];
    if (text === undefined) continue;
    try {
      settings = { ...settings, ...read(text) };
    } catch (error) {
      throw new UsageError(`--${name} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  checkSeats(settings);
  checkAuditTexts(texts);
  return { ...settings, ...proxySettings(texts) };
}

/** Levels need seats to share. */
function checkSeats(settings: Settings): void {
  const { maxRequestsInflight: reading = 1, maxMutatingRequestsInflight: writing = 1 } = settings;
  if (settings.priorityAndFairness !== false && reading + writing <= 0) {
    throw new UsageError(
      `invalid configuration: MaxRequestsInFlight=${reading} and MaxMutatingRequestsInFlight=${writing}; they must add up to something positive`,
    );
  }
}

function proxySettings(texts: FrontTexts): Settings {
  const file = texts["requestheader-client-ca-file"];
  if (file === undefined) return {};
  return {
    requestHeader: {
      clientAuthority: textOf("requestheader-client-ca-file", file),
      allowedNames: namesOf(texts["requestheader-allowed-names"] ?? ""),
      usernameHeaders: namesOf(texts["requestheader-username-headers"] ?? "x-remote-user"),
      uidHeaders: namesOf(texts["requestheader-uid-headers"] ?? ""),
      groupHeaders: namesOf(texts["requestheader-group-headers"] ?? "x-remote-group"),
      extraHeadersPrefixes: namesOf(texts["requestheader-extra-headers-prefix"] ?? "x-remote-extra-"),
    },
  };
}

/** As whom the API server shows itself to extension servers; undefined when no flag says it. */
export function proxyIdentity(texts: FrontTexts): ProxyIdentity | undefined {
  const certificate = texts["proxy-client-cert-file"];
  const key = texts["proxy-client-key-file"];
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new UsageError("--proxy-client-cert-file and --proxy-client-key-file must be specified together");
  }
  return {
    certificate: textOf("proxy-client-cert-file", certificate),
    key: textOf("proxy-client-key-file", key),
  };
}

function textOf(flag: FrontFlagName, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--${flag} cannot be read: ${why}`);
  }
}

const namesOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

function milliseconds(text: string): number {
  const value = Number(parseDuration(text)) / 1e6;
  if (value < 0) throw new Error("can not be negative value");
  return value;
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

/** Of upstream's gates those that change what the front does; that of all alpha ones comes before single ones. */
function gates(text: string): Settings {
  const said: Record<string, boolean> = {};
  for (const gate of namesOf(text)) {
    const [name = "", value] = gate.split("=", 2).map((part) => part.trim());
    if (value === undefined) throw new Error(`missing bool value for ${name}`);
    if (name !== "CBORServingAndStorage" && name !== "AllAlpha" && name !== "AllBeta") {
      throw new Error(`unrecognized feature gate: ${name}`);
    }
    const isOn = truths.get(value);
    if (isOn === undefined) {
      const why = `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
      throw new Error(`invalid value of ${name}=${value}, err: ${why}`);
    }
    said[name] = isOn;
  }
  return { cbor: said["CBORServingAndStorage"] ?? said["AllAlpha"] ?? false };
}

const highestChance = 0.02;

function chance(text: string): number {
  const value = Number(text);
  if (value >= 0 && value <= highestChance) return value;
  throw new Error(`can not be less than 0 or greater than ${highestChance}`);
}

/** A pattern that leaves an end of the host open would let in hosts that only look alike. */
function originPattern(text: string): RegExp {
  if (!/^(?:\^|\/\/)/.test(text)) {
    throw new Error(
      `regular expression does not pin to start of host in the origin header: ${JSON.stringify(text)}`,
    );
  }
  if (!/(?:\$|\(:\|\$\))$/.test(text)) {
    throw new Error(
      `regular expression does not pin to end of host in the origin header: ${JSON.stringify(text)}`,
    );
  }
  return new RegExp(text);
}

function directive(text: string): string {
  if (/^max-age=\d+$/.test(text) || text === "includeSubDomains" || text === "preload") return text;
  throw new Error(
    `${text} is invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information`,
  );
}
