/** Standard base64 of bytes; without node's Buffer, since this also runs in browsers. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  // Arguments of one call are bounded by the stack.
  const chunk = 0x2000;
  for (let start = 0; start < bytes.length; start += chunk)
    binary += String.fromCharCode(...bytes.subarray(start, start + chunk));
  return btoa(binary);
}

/** The bytes of base64 text that has been checked before. */
export function decodeBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

const alphabet = /^[A-Za-z0-9+/]$/;

/** Where Go's reader of base64 gives up on a text that is not base64; newlines are let through anywhere. */
export function corruptionOf(text: string): number {
  const isBreak = (index: number) => text[index] === "\n" || text[index] === "\r";
  const skipBreaks = (from: number) => {
    let index = from;
    while (isBreak(index)) index++;
    return index;
  };
  /** How many characters of the group of four have been read. */
  let read = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? "";
    if (isBreak(index)) continue;
    if (character !== "=") {
      if (!alphabet.test(character)) return index;
      read = (read + 1) % 4;
      continue;
    }
    if (read < 2) return index;
    let next = skipBreaks(index + 1);
    if (read === 2) {
      if (next >= text.length) return text.length;
      if (text[next] !== "=") return next - 1;
      next = skipBreaks(next + 1);
    }
    return next;
  }
  return text.length - read;
}
