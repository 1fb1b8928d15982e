import { formatIP, parseIP } from "../../../apimachinery/index.ts";
import type { Exchange } from "../exchange.ts";

/** Where a request came from: what proxies say, then who has the connection. */
export function sourceIPsOf({
  headers,
  remoteAddress,
}: Pick<Exchange, "headers" | "remoteAddress">): readonly string[] {
  const addresses = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .flatMap((part) => addressOf(part.trim()));
  const [real] = addressOf(String(headers["x-real-ip"] ?? ""));
  if (real !== undefined && !addresses.includes(real)) addresses.push(real);
  const [remote] = addressOf(remoteAddress);
  if (remote !== undefined && addresses.at(-1) !== remote) addresses.push(remote);
  return addresses;
}

/** The address, or none; one of IPv4 in the clothes of IPv6 is one of IPv4. */
function addressOf(text: string): string[] {
  const bytes = parseIP(text.replace(/^::ffff:(?=\d+\.)/i, ""));
  return bytes ? [formatIP(bytes)] : [];
}
