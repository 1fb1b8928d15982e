import { X509Certificate } from "node:crypto";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Milliseconds } from "../../base/index.ts";
import type { Credentials } from "../authentication/authenticator.ts";

type Certificate = NonNullable<Credentials["certificate"]>;

/** What a connection showed: no certificate, or one and who believes it. */
export type Shown =
  | { readonly type: "none" }
  | {
      readonly type: "certificate";
      readonly certificate: Certificate;
      /** Whether the authority of clients vouches for it. */
      readonly isClient: boolean;
      /** Whether the authority of proxies vouches for it. */
      readonly isProxy: boolean;
      readonly validUntil: Milliseconds;
    };

/** Whom certificates must come from. */
export interface Authorities {
  readonly clients?: string | undefined;
  readonly proxies?: string | undefined;
}

/** The object identifier under which a subject carries a user's UID. */
const uidAttribute = "1.3.6.1.4.1.57683.2";
const none: Shown = { type: "none" };

/** Reads connections' certificates, once a connection. */
export class CertificateReader {
  private readonly known = new WeakMap<TLSSocket, Shown>();
  private readonly clients: readonly X509Certificate[];
  private readonly proxies: readonly X509Certificate[];

  constructor({ clients, proxies }: Authorities) {
    this.clients = certificatesOf(clients);
    this.proxies = certificatesOf(proxies);
  }

  read(socket: TLSSocket): Shown {
    const known = this.known.get(socket);
    if (known) return known;
    const shown = this.look(socket);
    this.known.set(socket, shown);
    return shown;
  }

  private look(socket: TLSSocket): Shown {
    const {
      subject,
      fingerprint256,
      valid_to: end,
    } = socket.getPeerCertificate() as Partial<PeerCertificate>;
    if (subject === undefined) return none;
    const uid = (subject as unknown as Readonly<Record<string, unknown>>)[uidAttribute];
    const certificate: Certificate = {
      commonName: textsOf(subject.CN)[0] ?? "",
      organizations: textsOf(subject.O),
      ...(typeof uid === "string" && uid !== "" ? { uid } : {}),
      ...(fingerprint256 ? { sha256: fingerprint256.replaceAll(":", "").toLowerCase() } : {}),
    };
    const { authorized } = socket;
    const validUntil = Date.parse(end ?? "");
    // With one authority the TLS layer has told the two apart already.
    if (this.proxies.length === 0) {
      return { type: "certificate", certificate, isClient: authorized, isProxy: false, validUntil };
    }
    const issuers = authorized ? issuersOf(socket) : [];
    const comesFrom = (authorities: readonly X509Certificate[]) =>
      issuers.some((issuer) => authorities.some(({ fingerprint256: own }) => own === issuer));
    return {
      type: "certificate",
      certificate,
      isClient: comesFrom(this.clients),
      isProxy: comesFrom(this.proxies),
      validUntil,
    };
  }
}

/** The types say string, but a subject with several values of one kind gives a list. */
function textsOf(attribute: unknown): readonly string[] {
  if (attribute === undefined) return [];
  return (Array.isArray(attribute) ? attribute : [attribute]).map(String);
}

/** Fingerprints of the certificates above the one that was shown. */
function issuersOf(socket: TLSSocket): readonly string[] {
  const issuers: string[] = [];
  for (let at = socket.getPeerCertificate(true); at.issuerCertificate; at = at.issuerCertificate) {
    const { fingerprint256 } = at.issuerCertificate;
    if (issuers.includes(fingerprint256)) break;
    issuers.push(fingerprint256);
  }
  return issuers;
}

function certificatesOf(pem: string | undefined): readonly X509Certificate[] {
  const blocks = pem?.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
