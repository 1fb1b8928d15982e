import type { UserInfo } from "../../api/index.ts";
import type { Exchange } from "./exchange.ts";

/** What proxies in front of the server say of who asks, and which proxies may. */
export interface RequestHeaderOptions {
  /** PEM of the authority of proxies' certificates. */
  readonly clientAuthority: string;
  /** Common names of proxies' certificates; none: all that the authority vouches for. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeadersPrefixes: readonly string[];
}

/** The user that a proxy's headers name; undefined when they name none. */
export function userOfHeaders(
  exchange: Pick<Exchange, "headers" | "valuesOf">,
  options: RequestHeaderOptions,
): UserInfo | undefined {
  const first = (names: readonly string[]) =>
    names.map((name) => exchange.valuesOf(name.toLowerCase())[0] ?? "").find((value) => value !== "");
  const name = first(options.usernameHeaders);
  if (name === undefined) return undefined;
  const uid = first(options.uidHeaders);
  const groups = options.groupHeaders.flatMap((header) =>
    exchange.valuesOf(header.toLowerCase()).filter((value) => value !== ""),
  );
  const extra = extraOf(exchange, options.extraHeadersPrefixes);
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** Everything that headers with one of the prefixes say, by what follows the prefix. */
export function extraOf(
  exchange: Pick<Exchange, "headers" | "valuesOf">,
  prefixes: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {};
  for (const prefix of prefixes.map((text) => text.toLowerCase())) {
    for (const header of Object.keys(exchange.headers)) {
      if (!header.startsWith(prefix)) continue;
      const key = unescaped(header.slice(prefix.length));
      extra[key] = [...(extra[key] ?? []), ...exchange.valuesOf(header)];
    }
  }
  return extra;
}

/** A key as it was before it became part of a header; as it is when it was never escaped well. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
