import { bitsOf, DerError, objectIdentifier, readElement, readElements, textOf } from "./der.ts";
import type { DerElement } from "./der.ts";
import { pemBlocksOfBase64 } from "./pem.ts";

/** What rules ask of a certificate. */
export interface ParsedCertificate {
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The SubjectPublicKeyInfo, as a whole. */
  readonly publicKey: Uint8Array;
  readonly isAuthority: boolean;
  readonly names: AlternativeNames;
}

/** Names that a certificate or a request has besides its subject. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  /** How many IP addresses. */
  readonly ipAddresses: number;
  readonly uris: readonly string[];
}

const identifiers = { alternativeNames: "2.5.29.17", basicConstraints: "2.5.29.19" };
/** Tags of alternative names. */
const nameTags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };
const versionTag = 0xa0;
const extensionsTag = 0xa3;
const utcTimeTag = 0x17;
const octetString = 0x04;
const booleanTag = 0x01;
const nothing = new Uint8Array();

/** Reads the DER of a certificate; undefined when it is none. */
export function parseCertificate(bytes: Uint8Array): ParsedCertificate | undefined {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** When the first certificate of base64-encoded PEM ends, in milliseconds; undefined when it cannot be read. */
export function certificateEnd(base64: string): number | undefined {
  const [block] = pemBlocksOfBase64(base64);
  return block?.type === "CERTIFICATE" ? parseCertificate(block.bytes)?.notAfter : undefined;
}

/** The names in extensions: a sequence of them. */
export function alternativeNames(extensions: readonly DerElement[]): AlternativeNames {
  const value = extensionValue(extensions, identifiers.alternativeNames);
  const names = value === undefined ? [] : readElements(readElement(value).content);
  const textsOf = (tag: number) =>
    names.filter((name) => name.tag === tag).map(({ content }) => textOf(content));
  return {
    dnsNames: textsOf(nameTags.dns),
    emailAddresses: textsOf(nameTags.email),
    ipAddresses: names.filter(({ tag }) => tag === nameTags.ip).length,
    uris: textsOf(nameTags.uri),
  };
}

function read(bytes: Uint8Array): ParsedCertificate {
  const [body, algorithm, signature] = readElements(readElement(bytes).content);
  if (!body || !algorithm || !signature) throw new DerError("a certificate has three parts");
  const fields = readElements(body.content);
  const [serial, , issuer, validity, subject, publicKey] =
    fields[0]?.tag === versionTag ? fields.slice(1) : fields;
  if (!serial || !issuer || !validity || !subject || !publicKey) {
    throw new DerError("a certificate has a subject and a key");
  }
  const [from, to] = readElements(validity.content);
  if (!from || !to) throw new DerError("a certificate has two times");
  const extensions = fields.find(({ tag }) => tag === extensionsTag);
  const list = extensions === undefined ? [] : readElements(readElement(extensions.content).content);
  return {
    notBefore: timeOf(from),
    notAfter: timeOf(to),
    publicKey: publicKey.bytes,
    isAuthority: isAuthority(list),
    names: alternativeNames(list),
  };
}

function isAuthority(extensions: readonly DerElement[]): boolean {
  const value = extensionValue(extensions, identifiers.basicConstraints);
  if (value === undefined) return false;
  const [first] = readElements(readElement(value).content);
  return first?.tag === booleanTag && first.content[0] === 0xff;
}

function extensionValue(extensions: readonly DerElement[], identifier: string): Uint8Array | undefined {
  for (const extension of extensions) {
    const parts = readElements(extension.content);
    if (objectIdentifier(parts[0]?.content ?? nothing) !== identifier) continue;
    return parts.find(({ tag }) => tag === octetString)?.content;
  }
  return undefined;
}

function timeOf({ tag, content }: DerElement): number {
  const text = textOf(content);
  const year = tag === utcTimeTag ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const time = Date.parse(year.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(time)) throw new DerError(`no time: ${text}`);
  return time;
}

/** What kind of key a SubjectPublicKeyInfo holds, as its identifier and that of its curve; undefined when it is none. */
export function publicKeyType(bytes: Uint8Array): KeyType | undefined {
  try {
    const [algorithm, key, ...others] = readElements(readElement(bytes).content);
    const [identifier, parameters] = readElements(algorithm?.content ?? nothing);
    if (!identifier || !key || others.length > 0) return undefined;
    const algorithmName = objectIdentifier(identifier.content);
    const curve = parameters === undefined ? "" : objectIdentifier(parameters.content);
    return { algorithm: algorithmName, curve, bits: modulusBits(algorithmName, bitsOf(key.content)) };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

export interface KeyType {
  readonly algorithm: string;
  readonly curve: string;
  /** Of an RSA key: the size of its modulus, in whole bytes. */
  readonly bits: number;
}

/** Identifiers of kinds of keys. */
export const keyAlgorithms = {
  rsa: "1.2.840.113549.1.1.1",
  ecdsa: "1.2.840.10045.2.1",
  ed25519: "1.3.101.112",
};

/** Identifiers of curves that keys may be on. */
export const keyCurves = { p256: "1.2.840.10045.3.1.7", p384: "1.3.132.0.34", p521: "1.3.132.0.35" };

function modulusBits(algorithm: string, key: Uint8Array): number {
  if (algorithm !== keyAlgorithms.rsa) return 0;
  const [modulus] = readElements(readElement(key).content);
  const digits = modulus?.content ?? nothing;
  return (digits[0] === 0 ? digits.length - 1 : digits.length) * 8;
}
