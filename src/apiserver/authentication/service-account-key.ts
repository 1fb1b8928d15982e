import { base64UrlText, bytesOfBase64 } from "./base64.ts";

type CryptoKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>;

/** Signs and verifies service account tokens. */
export interface ServiceAccountKey {
  readonly algorithm: "ES256" | "RS256";
  /** Base64url of the SHA-256 of the public key, as upstream names keys. */
  readonly keyId: string;
  /** The public key for the JWKS document. */
  readonly publicJwk: Readonly<Record<string, string>>;
  sign(data: Uint8Array): Promise<Uint8Array>;
  verify(data: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

interface Algorithm {
  readonly name: ServiceAccountKey["algorithm"];
  readonly key: { readonly name: string; readonly namedCurve?: string; readonly hash?: string };
  readonly signature: { readonly name: string; readonly hash?: string };
  /** Members of the public JWK, in the order in which upstream writes them. */
  readonly members: readonly string[];
}

const elliptic: Algorithm = {
  name: "ES256",
  key: { name: "ECDSA", namedCurve: "P-256" },
  signature: { name: "ECDSA", hash: "SHA-256" },
  members: ["use", "kty", "kid", "crv", "alg", "x", "y"],
};
const rsa: Algorithm = {
  name: "RS256",
  key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  signature: { name: "RSASSA-PKCS1-v1_5" },
  members: ["use", "kty", "kid", "alg", "n", "e"],
};

/** The key of a PKCS #8 private key and an SPKI public key in PEM: P-256 or RSA. */
export async function loadServiceAccountKey(pem: {
  readonly privateKey: string;
  readonly publicKey: string;
}): Promise<ServiceAccountKey> {
  const { subtle } = globalThis.crypto;
  const privateBytes = bytesOfPem(pem.privateKey);
  const publicBytes = bytesOfPem(pem.publicKey);
  let last: unknown;
  // Neither format tells its algorithm without being parsed, which importing does.
  for (const algorithm of [elliptic, rsa]) {
    try {
      const privateKey = await subtle.importKey("pkcs8", privateBytes, algorithm.key, false, ["sign"]);
      const publicKey = await subtle.importKey("spki", publicBytes, algorithm.key, true, ["verify"]);
      return await keyOf(algorithm, { privateKey, publicKey });
    } catch (error) {
      last = error;
    }
  }
  throw new Error("the service account key is neither P-256 nor RSA", { cause: last });
}

/** A fresh ES256 key that lives as long as the process; for tests and throw-away clusters. */
export async function generateServiceAccountKey(): Promise<ServiceAccountKey> {
  const pair = await globalThis.crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  return keyOf(elliptic, pair);
}

async function keyOf(
  algorithm: Algorithm,
  pair: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey },
): Promise<ServiceAccountKey> {
  const { subtle } = globalThis.crypto;
  const spki = await subtle.exportKey("spki", pair.publicKey);
  const jwk = (await subtle.exportKey("jwk", pair.publicKey)) as Record<string, unknown>;
  const keyId = base64UrlText(new Uint8Array(await subtle.digest("SHA-256", spki)));
  return {
    algorithm: algorithm.name,
    keyId,
    publicJwk: Object.fromEntries(
      algorithm.members.map((member) => [
        member,
        String({ ...jwk, use: "sig", kid: keyId, alg: algorithm.name }[member]),
      ]),
    ),
    sign: async (data) => new Uint8Array(await subtle.sign(algorithm.signature, pair.privateKey, data)),
    verify: (data, signature) => subtle.verify(algorithm.signature, pair.publicKey, signature, data),
  };
}

const bytesOfPem = (pem: string): Uint8Array<ArrayBuffer> =>
  bytesOfBase64(pem.replace(/-----[^-]+-----|\s/g, ""));
