import type { UserInfo } from "../../api/index.ts";

/** Who asks, in headers by which an extension server believes this one. */
export function identityHeaders(user: UserInfo): Record<string, string[]> {
  const headers: Record<string, string[]> = { "X-Remote-User": [user.name] };
  if (user.uid) headers["X-Remote-Uid"] = [user.uid];
  if (user.groups.length > 0) headers["X-Remote-Group"] = [...user.groups];
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    headers[`X-Remote-Extra-${escapedKey(key)}`] = [...values];
  }
  return headers;
}

/** Everything but the characters of header names (RFC 9110, section 5.6.2), and the escape itself. */
const unfit = /[^!#$&'*+\-.^_`|~0-9A-Za-z]/;

function escapedKey(key: string): string {
  if (!unfit.test(key)) return key;
  return Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte);
    return unfit.test(character) ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}` : character;
  }).join("");
}
