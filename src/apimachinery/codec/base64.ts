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
