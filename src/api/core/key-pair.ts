import { bitsOf, DerError, objectIdentifier, readElement, readElements } from "../certificates/der.ts";
import type { DerElement } from "../certificates/der.ts";
import { pemBlocks } from "../certificates/pem.ts";
import type { PemBlock } from "../certificates/pem.ts";
import { keyAlgorithms, parseCertificate } from "../certificates/x509.ts";

const isKey = ({ type }: PemBlock) => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");

/** Why a certificate and a key in PEM are no pair, as Go's TLS library says it. */
export function keyPairProblem(pair: {
  readonly certificate: string;
  readonly key: string;
}): string | undefined {
  const certificates = pemBlocks(pair.certificate);
  const found = certificates.find(({ type }) => type === "CERTIFICATE");
  if (found === undefined) return certificateProblem(certificates);
  const keys = pemBlocks(pair.key);
  const block = keys.find(isKey);
  if (block === undefined) return keyProblem(keys);
  const parsed = parseCertificate(found.bytes);
  if (parsed === undefined) return "x509: malformed certificate";
  const key = read(block.bytes, privateKey);
  if (key === undefined) return "tls: failed to parse private key";
  return mismatch(read(parsed.publicKey, publicKey), key);
}

function certificateProblem(blocks: readonly PemBlock[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in certificate input";
  if (blocks.length === 1 && blocks[0]?.type.endsWith("PRIVATE KEY")) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

function keyProblem(blocks: readonly PemBlock[]): string {
  if (blocks.length === 0) return "tls: failed to find any PEM data in key input";
  if (blocks.length === 1 && blocks[0]?.type === "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

const typesOf = (blocks: readonly PemBlock[]) => `[${blocks.map(({ type }) => type).join(" ")}]`;

interface Key {
  readonly algorithm: string;
  /** The public part: an RSA modulus, a point of a curve; absent where only arithmetic could tell it. */
  readonly public: Uint8Array | undefined;
}

function mismatch(wanted: Key | undefined, key: Key): string | undefined {
  const known = Object.values(keyAlgorithms);
  if (wanted === undefined || !known.includes(wanted.algorithm)) return "tls: unknown public key algorithm";
  if (!known.includes(key.algorithm)) return "tls: found unknown private key type in PKCS#8 wrapping";
  if (key.algorithm !== wanted.algorithm) return "tls: private key type does not match public key type";
  if (!wanted.public || !key.public || hex(wanted.public) === hex(key.public)) return undefined;
  return "tls: private key does not match public key";
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const nothing = new Uint8Array();
const [integerTag, octetsTag, sequenceTag, pointTag] = [0x02, 0x04, 0x30, 0xa1];
/** Parts of an RSA key: version, modulus, two exponents, two primes and what is computed of them. */
const rsaParts = 9;

function read(bytes: Uint8Array, reader: (parts: readonly DerElement[]) => Key | undefined): Key | undefined {
  try {
    return reader(readElements(readElement(bytes).content));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Of a SubjectPublicKeyInfo. */
function publicKey([algorithm, key]: readonly DerElement[]): Key | undefined {
  const name = algorithmOf(algorithm);
  const bits = bitsOf(key?.content ?? nothing);
  if (name !== keyAlgorithms.rsa) return { algorithm: name, public: bits };
  return { algorithm: name, public: readElements(readElement(bits).content)[0]?.content };
}

const algorithmOf = (element: DerElement | undefined) =>
  objectIdentifier(readElements(element?.content ?? nothing)[0]?.content ?? nothing);

/** Of a key alone (PKCS #1, SEC 1), or in a wrapping that says what it is (PKCS #8). */
function privateKey(parts: readonly DerElement[]): Key | undefined {
  const [version, second, third] = parts;
  if (version?.tag !== integerTag) return undefined;
  if (second?.tag === sequenceTag && third?.tag === octetsTag) return wrapped(algorithmOf(second), third);
  if (second?.tag === integerTag && parts.length >= rsaParts) {
    return { algorithm: keyAlgorithms.rsa, public: second.content };
  }
  return second?.tag === octetsTag ? { algorithm: keyAlgorithms.ecdsa, public: pointIn(parts) } : undefined;
}

function wrapped(algorithm: string, { content }: DerElement): Key | undefined {
  const isNested = algorithm === keyAlgorithms.rsa || algorithm === keyAlgorithms.ecdsa;
  if (!isNested) return { algorithm, public: undefined };
  const inner = read(content, privateKey);
  return inner?.algorithm === algorithm ? inner : undefined;
}

function pointIn(parts: readonly DerElement[]): Uint8Array | undefined {
  const point = parts.find(({ tag }) => tag === pointTag);
  return point && bitsOf(readElement(point.content).content);
}
