import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isIP } from "node:net";
import type { Clock, Milliseconds } from "../base/index.ts";
import {
  authorityLifetime,
  certificateServes,
  createCertificateAuthority,
  issueCertificate,
} from "./certificate.ts";
import type { CertificateAuthority, CertificatePair, CertificateUsage } from "./certificate.ts";

/** Every key and certificate that a control plane needs; all PEM. */
export interface ClusterPki {
  readonly directory: string;
  /** Signs serving and client certificates. */
  readonly ca: CertificateAuthority;
  readonly apiserver: CertificatePair;
  /** The API server's identity towards kubelets. */
  readonly kubeletClient: CertificatePair;
  /** Signs the identity with which the API server forwards to extension servers. */
  readonly frontProxyCa: CertificateAuthority;
  readonly frontProxyClient: CertificatePair;
  /** A member of `system:masters`. */
  readonly admin: CertificatePair;
  /** Signs service account tokens; PKCS #8 and SPKI. */
  readonly serviceAccount: { readonly privateKey: string; readonly publicKey: string };
}

/** Names of the service of the API server, which its certificate always carries. */
const serviceNames = (domain: string) => [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  `kubernetes.default.svc.${domain}`,
  "localhost",
];

/** Certificates with less than this left are made anew. */
const renewalMargin: Milliseconds = 90 * 24 * 60 * 60 * 1000;

/**
 * The cluster's keys and certificates in `directory`, named as kubeadm names them. What is there and still serves
 * is kept; the rest is made. Private keys are readable by their owner only.
 */
export async function ensureClusterPki(options: {
  readonly directory: string;
  /** DNS names of the API server besides the service's. */
  readonly hosts: readonly string[];
  /** Its addresses, the service's among them. */
  readonly ips: readonly string[];
  readonly clock: Clock;
  readonly clusterDomain?: string;
}): Promise<ClusterPki> {
  const { directory } = options;
  const now = options.clock.now();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = (file: string, commonName: string) =>
    ensurePair(join(directory, file), {
      serves: (pair) => certificateServes(pair, { ca: pair, names: [], now, margin: renewalMargin }),
      make: () => createCertificateAuthority({ commonName, now, lifetime: authorityLifetime }),
    });
  const leaf = (file: string, request: Leaf) =>
    ensurePair(join(directory, file), {
      serves: (pair) =>
        certificateServes(pair, {
          ca: request.ca,
          names: [...(request.dnsNames ?? []), ...(request.ipAddresses ?? [])],
          now,
          margin: renewalMargin,
        }),
      make: () => issueCertificate({ ...request, now }),
    });
  const [ca, frontProxyCa, serviceAccount] = await Promise.all([
    authority("ca", "kubernetes"),
    authority("front-proxy-ca", "front-proxy-ca"),
    ensureServiceAccountKey(directory),
  ]);
  const [apiserver, kubeletClient, frontProxyClient, admin] = await Promise.all([
    leaf("apiserver", {
      ca,
      commonName: "kube-apiserver",
      usages: ["server"],
      ...apiserverNames(options),
    }),
    leaf("apiserver-kubelet-client", {
      ca,
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
      usages: ["client"],
    }),
    leaf("front-proxy-client", { ca: frontProxyCa, commonName: "front-proxy-client", usages: ["client"] }),
    leaf("admin", {
      ca,
      commonName: "kubernetes-admin",
      organizations: ["system:masters"],
      usages: ["client"],
    }),
  ]);
  return { directory, ca, apiserver, kubeletClient, frontProxyCa, frontProxyClient, admin, serviceAccount };
}

interface Leaf {
  readonly ca: CertificateAuthority;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
}

/** A client certificate for a component or user, made or kept in `directory` under `file`. */
export function ensureClientCertificate(options: {
  readonly directory: string;
  readonly file: string;
  readonly ca: CertificateAuthority;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly clock: Clock;
}): Promise<CertificatePair> {
  const { ca, commonName, organizations = [] } = options;
  const now = options.clock.now();
  return ensurePair(join(options.directory, options.file), {
    serves: (pair) => certificateServes(pair, { ca, names: [], now, margin: renewalMargin }),
    make: () => issueCertificate({ ca, commonName, organizations, usages: ["client"], now }),
  });
}

/** A serving certificate for a component, made or kept in `directory` under `file`. */
export function ensureServingCertificate(options: {
  readonly directory: string;
  readonly file: string;
  readonly ca: CertificateAuthority;
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly clock: Clock;
}): Promise<CertificatePair> {
  const { directory, file, clock, ...request } = options;
  const now = clock.now();
  const names = [...request.dnsNames, ...request.ipAddresses];
  return ensurePair(join(directory, file), {
    serves: (pair) => certificateServes(pair, { ca: request.ca, names, now, margin: renewalMargin }),
    make: () => issueCertificate({ ...request, usages: ["server"], now }),
  });
}

function apiserverNames(options: {
  readonly hosts: readonly string[];
  readonly ips: readonly string[];
  readonly clusterDomain?: string;
}) {
  const names = new Set([...serviceNames(options.clusterDomain ?? "cluster.local"), ...options.hosts]);
  const addresses = new Set(["127.0.0.1", "::1", ...options.ips]);
  for (const name of names) if (isIP(name) !== 0) addresses.add(name);
  return { dnsNames: [...names].filter((name) => isIP(name) === 0), ipAddresses: [...addresses] };
}

async function ensurePair(
  path: string,
  how: {
    readonly serves: (pair: CertificatePair) => boolean;
    readonly make: () => Promise<CertificatePair>;
  },
): Promise<CertificatePair> {
  const [certificate, key] = await Promise.all([readIfThere(`${path}.crt`), readIfThere(`${path}.key`)]);
  if (certificate !== undefined && key !== undefined) {
    const pair = { certificate, key };
    if (how.serves(pair)) return pair;
  }
  const pair = await how.make();
  // The key first: a certificate without its key is made anew, never used.
  await writePrivately(`${path}.key`, pair.key);
  await writePrivately(`${path}.crt`, pair.certificate);
  return pair;
}

/**
 * Elliptic (ES256) where upstream's tools make RSA keys: making an RSA key of 2048 bits takes a tenth of a second or
 * more, a good part of a cold start, and every client and upstream server accepts ES256. An RSA key that is there stays.
 */
async function ensureServiceAccountKey(directory: string): Promise<ClusterPki["serviceAccount"]> {
  const path = join(directory, "sa");
  const present = await readIfThere(`${path}.key`);
  const privateKey =
    present === undefined
      ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
      : createPrivateKey(present);
  const pem = {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
  };
  if (present === undefined) {
    await writePrivately(`${path}.key`, pem.privateKey);
    await writePrivately(`${path}.pub`, pem.publicKey);
  }
  return pem;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all, and never readable by others, also not for a moment. */
async function writePrivately(path: string, content: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, content, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}
