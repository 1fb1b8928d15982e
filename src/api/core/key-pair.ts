import { fromBase64Bytes } from "./data.ts";

interface Block {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const blockPattern = /-----BEGIN ([^\n]*?)-----[^\S\n]*\n([\s\S]*?)\n?-----END \1-----/g;
const isKey = ({ type }: Block) => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");

/**
 * Why a certificate and a key in PEM are no pair, as Go's TLS library says it; whether they are of the same pair is
 * not looked at, which takes cryptography.
 */
export function keyPairProblem(pair: {
  readonly certificate: string;
  readonly key: string;
}): string | undefined {
  const certificates = blocksOf(pair.certificate);
  const found = certificates.filter(({ type }) => type === "CERTIFICATE");
  if (found.length === 0) return certificateProblem(certificates);
  const keys = blocksOf(pair.key);
  const key = keys.find(isKey);
  if (key === undefined) return keyProblem(keys);
  if (!isSequence(found[0]?.bytes)) return "x509: malformed certificate";
  return isSequence(key.bytes) ? undefined : "tls: failed to parse private key";
}

function certificateProblem(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && blocks[0]?.type.endsWith("PRIVATE KEY")) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

function keyProblem(blocks: readonly Block[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && blocks[0]?.type === "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

const typesOf = (blocks: readonly Block[]) => `[${blocks.map(({ type }) => type).join(" ")}]`;

function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(blockPattern)].flatMap(([, type = "", body = ""]) => {
    const bytes = fromBase64Bytes(body.replace(/\s/g, ""));
    return bytes === undefined ? [] : [{ type, bytes }];
  });
}

/** Whether bytes begin as both certificates and keys do: with a sequence of ASN.1. */
const isSequence = (bytes: Uint8Array | undefined): boolean => bytes?.[0] === 0x30;
