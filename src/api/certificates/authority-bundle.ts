import { encodeBase64 } from "../../apimachinery/codec/index.ts";
import { pemBlocks } from "./pem.ts";
import { parseCertificate } from "./x509.ts";

/** How long a certificate is kept that has expired: clocks differ. */
const slack = 5 * 60_000;
const lineLength = 64;

/** The certificates of some texts of PEM, each once, without those that have expired; throws of a text that has none. */
export function combinedAuthorities(texts: readonly string[], { now }: { readonly now: number }): string {
  const found = new Map<string, number>();
  for (const text of texts) {
    const certificates = pemBlocks(text).filter(
      ({ type, hasHeaders }) => type === "CERTIFICATE" && !hasHeaders,
    );
    if (certificates.length === 0) {
      throw new Error("data does not contain any valid RSA or ECDSA certificates");
    }
    for (const { bytes } of certificates) {
      const certificate = parseCertificate(bytes);
      if (!certificate) throw new Error("x509: malformed certificate");
      found.set(encodeBase64(bytes), certificate.notAfter);
    }
  }
  return Array.from(found, ([base64, notAfter]) => (notAfter > now - slack ? pemOf(base64) : "")).join("");
}

function pemOf(base64: string): string {
  const lines = base64.match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
