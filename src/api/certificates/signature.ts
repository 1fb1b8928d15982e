import { DerError, objectIdentifier, readElement, readElements } from "./der.ts";
import type { DerElement } from "./der.ts";
import { keyAlgorithms, keyCurves, publicKeyType } from "./x509.ts";

/** Bytes with a signature, and the key that is said to have made it. */
export interface Signed {
  /** The parts of an AlgorithmIdentifier. */
  readonly algorithm: readonly DerElement[];
  /** A SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

type Subtle = typeof globalThis.crypto.subtle;
type Hash = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

const pss = "1.2.840.113549.1.1.10";
const hashes: Readonly<Record<string, Hash>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const hashLengths: Readonly<Record<Hash, number>> = {
  "SHA-1": 20,
  "SHA-256": 32,
  "SHA-384": 48,
  "SHA-512": 64,
};
const algorithms: Readonly<Record<string, readonly [kind: "rsa" | "ecdsa" | "ed25519", hash: Hash]>> = {
  "1.2.840.113549.1.1.5": ["rsa", "SHA-1"],
  "1.2.840.113549.1.1.11": ["rsa", "SHA-256"],
  "1.2.840.113549.1.1.12": ["rsa", "SHA-384"],
  "1.2.840.113549.1.1.13": ["rsa", "SHA-512"],
  "1.2.840.10045.4.1": ["ecdsa", "SHA-1"],
  "1.2.840.10045.4.3.2": ["ecdsa", "SHA-256"],
  "1.2.840.10045.4.3.3": ["ecdsa", "SHA-384"],
  "1.2.840.10045.4.3.4": ["ecdsa", "SHA-512"],
  "1.3.101.112": ["ed25519", "SHA-512"],
};
/** Curves of keys by their identifier, with the bytes of a coordinate. */
const curves: Readonly<Record<string, readonly [name: string, size: number]>> = {
  [keyCurves.p256]: ["P-256", 32],
  [keyCurves.p384]: ["P-384", 48],
  [keyCurves.p521]: ["P-521", 66],
};
const unimplemented = "x509: cannot verify signature: algorithm unimplemented";
const failures = {
  rsa: "crypto/rsa: verification error",
  ecdsa: "x509: ECDSA verification failure",
  ed25519: "x509: Ed25519 verification failure",
};
const nothing = new Uint8Array();

/** Why a signature is not that of its key, in the words of upstream's library; undefined when it is. */
export async function signatureProblem(signed: Signed): Promise<string | undefined> {
  const [identifier, parameters] = signed.algorithm;
  const name = objectIdentifier(identifier?.content ?? nothing);
  if (name === pss) {
    const hash = pssHash(parameters);
    if (hash === undefined) return unimplemented;
    const saltLength = hashLengths[hash];
    const isRight = await verifies(signed, {
      import: { name: "RSA-PSS", hash },
      verify: { name: "RSA-PSS", saltLength },
    });
    return outcome(isRight, failures.rsa);
  }
  const [kind, hash] = algorithms[name] ?? [];
  if (kind === undefined || hash === undefined) return unimplemented;
  return outcome(await verifiesAs(kind, hash, signed), failures[kind]);
}

/** Whether the key signed the bytes with what upstream expects of its kind: SHA-256, and salt where there is some. */
export async function isProven(proof: Omit<Signed, "algorithm">): Promise<boolean> {
  const signed = { ...proof, algorithm: [] };
  const type = publicKeyType(proof.publicKey);
  switch (type?.algorithm) {
    case keyAlgorithms.ed25519:
      return (await verifiesAs("ed25519", "SHA-512", signed)) === true;
    case keyAlgorithms.ecdsa:
      return (await verifiesAs("ecdsa", "SHA-256", signed)) === true;
    case keyAlgorithms.rsa: {
      const hash = "SHA-256";
      const hashLength = hashLengths[hash];
      // Whoever signs takes as much salt as the hash is long, or as there is room for.
      for (const saltLength of [hashLength, type.bits / 8 - hashLength - 2]) {
        const verify = { name: "RSA-PSS", saltLength };
        if (await verifies(signed, { import: { name: "RSA-PSS", hash }, verify })) return true;
      }
      return false;
    }
    default:
      return false;
  }
}

/** An answer that is absent: the key does not fit the algorithm. */
const outcome = (isRight: boolean | undefined, failure: string) =>
  isRight === undefined ? unimplemented : isRight ? undefined : failure;

function verifiesAs(
  kind: "rsa" | "ecdsa" | "ed25519",
  hash: Hash,
  signed: Signed,
): Promise<boolean | undefined> {
  if (kind === "ed25519")
    return verifies(signed, { import: { name: "Ed25519" }, verify: { name: "Ed25519" } });
  if (kind === "rsa") {
    const name = "RSASSA-PKCS1-v1_5";
    return verifies(signed, { import: { name, hash }, verify: { name } });
  }
  const [namedCurve, size] = curves[publicKeyType(signed.publicKey)?.curve ?? ""] ?? [];
  if (namedCurve === undefined || size === undefined) return Promise.resolve(undefined);
  const signature = rawSignature(signed.signature, size);
  if (signature === undefined) return Promise.resolve(false);
  const name = "ECDSA";
  return verifies({ ...signed, signature }, { import: { name, namedCurve }, verify: { name, hash } });
}

async function verifies(
  { publicKey, signature, signed }: Signed,
  algorithm: {
    readonly import: { readonly name: string; readonly hash?: Hash; readonly namedCurve?: string };
    readonly verify: { readonly name: string; readonly hash?: Hash; readonly saltLength?: number };
  },
): Promise<boolean | undefined> {
  const { subtle } = globalThis.crypto;
  try {
    const parameters = algorithm.import as Parameters<Subtle["importKey"]>[2];
    const key = await subtle.importKey("spki", new Uint8Array(publicKey), parameters, false, ["verify"]);
    return await subtle.verify(algorithm.verify, key, new Uint8Array(signature), new Uint8Array(signed));
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** The two numbers of an ECDSA signature, each as long as a coordinate; undefined when there are none. */
function rawSignature(signature: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const numbers = readElements(readElement(signature).content);
    const result = new Uint8Array(size * 2);
    for (const [index, { content }] of numbers.entries()) {
      const digits = content[0] === 0 ? content.subarray(1) : content;
      if (digits.length > size || index > 1) return undefined;
      result.set(digits, size * (index + 1) - digits.length);
    }
    return numbers.length === 2 ? result : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function pssHash(parameters: DerElement | undefined): Hash | undefined {
  const [hash] = readElements(parameters?.content ?? nothing);
  const [algorithm] = readElements(hash?.content ?? nothing);
  const [identifier] = readElements(algorithm?.content ?? nothing);
  return hashes[objectIdentifier(identifier?.content ?? nothing)];
}
