import { createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type * as x509 from "@peculiar/x509";
import type { Milliseconds } from "../base/index.ts";
import { readUsages } from "./usages.ts";

/** A certificate and its private key, both PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/** What may sign: the pair, and nothing that a leaf certificate lacks. */
export type CertificateAuthority = CertificatePair;

export type CertificateUsage = "server" | "client";

/** Who a client certificate says its holder is. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

const day: Milliseconds = 24 * 60 * 60 * 1000;
/** How long certificate authorities live, as kubeadm's. */
export const authorityLifetime: Milliseconds = 3650 * day;
/** How long other certificates live, as kubeadm's. */
export const certificateLifetime: Milliseconds = 365 * day;
/** Clocks of other machines may be behind ours. */
const clockSkew: Milliseconds = 5 * 60 * 1000;

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const keyUsageIdentifier = "2.5.29.15";
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;

/** Loading costs about 100 ms, so it happens only when something is made or signed. */
async function loadLibrary(): Promise<typeof x509> {
  await import("reflect-metadata");
  const library = await import("@peculiar/x509");
  library.cryptoProvider.set(webcrypto as unknown as Crypto);
  return library;
}

type Crypto = Parameters<(typeof x509)["cryptoProvider"]["set"]>[0];

/** Makes a self-signed authority. */
export async function createCertificateAuthority(options: {
  readonly commonName: string;
  readonly now: Milliseconds;
  readonly lifetime?: Milliseconds;
}): Promise<CertificateAuthority> {
  const library = await loadLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await library.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: new library.Name(subjectOf(options)),
    notBefore: new Date(options.now - clockSkew),
    notAfter: new Date(options.now + (options.lifetime ?? authorityLifetime)),
    signingAlgorithm,
    keys,
    extensions: [
      new library.BasicConstraintsExtension(true, undefined, true),
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.digitalSignature |
          library.KeyUsageFlags.keyEncipherment |
          library.KeyUsageFlags.keyCertSign |
          library.KeyUsageFlags.cRLSign,
        true,
      ),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new library.SubjectAlternativeNameExtension([{ type: "dns", value: options.commonName }]),
    ],
  });
  return { certificate: certificate.toString("pem") + "\n", key: await privateKeyPem(keys.privateKey) };
}

export interface CertificateRequest {
  readonly ca: CertificateAuthority;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly now: Milliseconds;
  readonly lifetime?: Milliseconds;
}

/** Makes a key and a certificate for it. */
export async function issueCertificate(request: CertificateRequest): Promise<CertificatePair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [certificate, key] = await Promise.all([
    signPublicKey({ ...request, publicKey: keys.publicKey }),
    privateKeyPem(keys.privateKey),
  ]);
  return { certificate, key };
}

/** The certificate for a PEM signing request, with the request's subject and alternative names; usages as the API names them. */
export async function signRequest(options: {
  readonly ca: CertificateAuthority;
  readonly request: string;
  readonly usages: readonly string[];
  readonly notBefore: Milliseconds;
  readonly notAfter: Milliseconds;
}): Promise<string> {
  const { ca, notBefore, notAfter } = options;
  const library = await loadLibrary();
  const request = new library.Pkcs10CertificateRequest(options.request);
  if (!(await request.verify())) throw new Error("the request's signature is wrong");
  const { keyUsage, extendedKeyUsages } = readUsages(options.usages);
  return signedBy(ca, {
    subject: request.subjectName,
    publicKey: request.publicKey,
    notBefore,
    notAfter,
    usages: [
      ...(keyUsage ? [new library.Extension(keyUsageIdentifier, true, keyUsage)] : []),
      ...(extendedKeyUsages.length === 0 ? [] : [new library.ExtendedKeyUsageExtension(extendedKeyUsages)]),
    ],
    names: request.extensions.filter(
      (extension) => extension instanceof library.SubjectAlternativeNameExtension,
    ),
  });
}

/** Makes a key and a PEM signing request for it. */
export async function createSigningRequest(options: {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}): Promise<{ readonly request: string; readonly key: string }> {
  const library = await loadLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const names = alternativeNames(options);
  const request = await library.Pkcs10CertificateRequestGenerator.create({
    name: new library.Name(subjectOf(options)),
    keys,
    signingAlgorithm,
    extensions: names.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(names)],
  });
  return { request: request.toString("pem") + "\n", key: await privateKeyPem(keys.privateKey) };
}

async function signPublicKey(
  request: CertificateRequest & { readonly publicKey: x509.PublicKeyType },
): Promise<string> {
  const library = await loadLibrary();
  const names = alternativeNames(request);
  const purposes = request.usages.map((usage) =>
    usage === "server" ? library.ExtendedKeyUsage.serverAuth : library.ExtendedKeyUsage.clientAuth,
  );
  return signedBy(request.ca, {
    subject: new library.Name(subjectOf(request)),
    publicKey: request.publicKey,
    notBefore: request.now - clockSkew,
    notAfter: request.now + (request.lifetime ?? certificateLifetime),
    usages: [
      new library.KeyUsagesExtension(
        library.KeyUsageFlags.digitalSignature | library.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new library.ExtendedKeyUsageExtension(purposes),
    ],
    names: names.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(names)],
  });
}

/** A certificate of the authority, which does not outlive it; PEM. */
async function signedBy(
  ca: CertificateAuthority,
  certificate: {
    readonly subject: x509.Name;
    readonly publicKey: x509.PublicKeyType;
    readonly notBefore: Milliseconds;
    readonly notAfter: Milliseconds;
    readonly usages: readonly x509.Extension[];
    readonly names: readonly x509.Extension[];
  },
): Promise<string> {
  const library = await loadLibrary();
  const { subject, publicKey, notBefore, notAfter, usages, names } = certificate;
  const issuer = new library.X509Certificate(ca.certificate);
  const signed = await library.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer.subjectName,
    notBefore: new Date(notBefore),
    notAfter: new Date(Math.min(notAfter, issuer.notAfter.getTime())),
    signingAlgorithm,
    signingKey: await importPrivateKey(ca.key),
    publicKey,
    extensions: [
      ...usages,
      new library.BasicConstraintsExtension(false, undefined, true),
      await library.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...names,
    ],
  });
  return signed.toString("pem") + "\n";
}

const subjectOf = (names: {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}): x509.JsonNameParams => [
  ...(names.organizations ?? []).map((organization) => ({ O: [{ utf8String: organization }] })),
  { CN: [{ utf8String: names.commonName }] },
];

const alternativeNames = (names: {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}): x509.JsonGeneralNames => [
  ...(names.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
  ...(names.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
];

/** Positive and of 127 random bits: the first digit must not set the sign. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f || 1;
  return Buffer.from(bytes).toString("hex");
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}

/** Who the PEM certificate is for. */
export function certificateSubject(pem: string): CertificateSubject {
  return peerSubject(new X509Certificate(pem).toLegacyObject().subject);
}

/** The same of the subject that a TLS socket's `getPeerCertificate` gives. */
export function peerSubject(subject: {
  readonly CN?: string | readonly string[];
  readonly O?: string | readonly string[];
}): CertificateSubject {
  const listOf = (value: string | readonly string[] | undefined) =>
    value === undefined ? [] : typeof value === "string" ? [value] : value;
  return { commonName: listOf(subject.CN).at(-1) ?? "", organizations: listOf(subject.O) };
}

/** Whether a PEM certificate can go on in use: signed by the authority, for the key, for all names, not near its end. */
export function certificateServes(
  pair: CertificatePair,
  wanted: {
    readonly ca: CertificateAuthority;
    readonly names: readonly string[];
    readonly now: Milliseconds;
    /** How much of its life it must have left. */
    readonly margin: Milliseconds;
  },
): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const authority = new X509Certificate(wanted.ca.certificate);
  if (Date.parse(certificate.validTo) - wanted.now < wanted.margin) return false;
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return false;
  const ownKey = createPublicKey(pair.key).export({ type: "spki", format: "der" });
  if (!certificate.publicKey.export({ type: "spki", format: "der" }).equals(ownKey)) return false;
  return wanted.names.every((name) =>
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: "never" }) !== undefined
      : certificate.checkIP(name) !== undefined,
  );
}
