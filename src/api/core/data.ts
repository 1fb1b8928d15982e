/** The most that a ConfigMap or Secret may hold: 1 MiB. */
export const maximumDataBytes = 1024 * 1024;

/** Bytes of a text in UTF-8. */
export function textLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // Each half of a surrogate pair is two of the four bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Bytes that a base64 text stands for; null is what Go makes of no bytes. */
export function base64Length(text: string | null): number {
  if (text === null) return 0;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

/** A text as base64 of its UTF-8 bytes. */
export function toBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}

/** The text that base64 of UTF-8 bytes stands for; undefined when it is not base64. */
export function fromBase64(text: string): string | undefined {
  const bytes = fromBase64Bytes(text);
  return bytes && new TextDecoder().decode(bytes);
}

/** The bytes that base64 stands for; undefined when it is not base64. */
export function fromBase64Bytes(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Not base64: the caller reports it as an invalid value.
    return undefined;
  }
}
