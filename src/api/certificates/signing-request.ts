import { DerError, objectIdentifier, readElement, readElements, textOf } from "./der.ts";
import type { DerElement } from "./der.ts";

/** Who a PEM signing request is for, as far as rules ask; or why it cannot be read. */
export type ParsedRequest =
  | {
      readonly type: "request";
      readonly commonName: string;
      readonly organizations: readonly string[];
      readonly dnsNames: readonly string[];
      readonly emailAddresses: readonly string[];
      /** How many IP addresses it names. */
      readonly ipAddresses: number;
      readonly uris: readonly string[];
    }
  | { readonly type: "unreadable"; readonly why: string };

const identifiers = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  extensionRequest: "1.2.840.113549.1.9.14",
  alternativeNames: "2.5.29.17",
};
/** Tags of alternative names. */
const nameTags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };
const attributesTag = 0xa0;
const versionTag = 0xa0;
const utcTimeTag = 0x17;
const octetString = 0x04;

/** Reads what a CertificateSigningRequest holds: base64 of PEM. */
export function parseSigningRequest(base64: string | undefined): ParsedRequest {
  const bytes = bytesOfPem(base64, "CERTIFICATE REQUEST");
  if (!bytes) return { type: "unreadable", why: "PEM block type must be CERTIFICATE REQUEST" };
  try {
    return readRequest(bytes);
  } catch (error) {
    if (error instanceof DerError) return { type: "unreadable", why: error.message };
    throw error;
  }
}

/** When the first certificate of base64-encoded PEM ends, in milliseconds; undefined when it cannot be read. */
export function certificateEnd(base64: string): number | undefined {
  const bytes = bytesOfPem(base64, "CERTIFICATE");
  if (!bytes) return undefined;
  try {
    const [body] = readElements(readElement(bytes).content);
    const fields = readElements(body?.content ?? new Uint8Array());
    const validity = fields[fields[0]?.tag === versionTag ? 4 : 3];
    const [, end] = readElements(validity?.content ?? new Uint8Array());
    return end && timeOf(end);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function timeOf({ tag, content }: DerElement): number {
  const text = textOf(content);
  const year = tag === utcTimeTag ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  return Date.parse(year.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function bytesOfPem(base64: string | undefined, label: string): Uint8Array | undefined {
  try {
    const pem = atob(base64 ?? "");
    const pattern = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`);
    // The first block counts, whatever it is.
    if (!/-----BEGIN ([^-]*)-----/.exec(pem)?.[0].includes(`BEGIN ${label}-`)) return undefined;
    const body = pattern.exec(pem)?.[1];
    if (body === undefined) return undefined;
    return Uint8Array.from(atob(body.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function readRequest(bytes: Uint8Array): ParsedRequest {
  const [info] = readElements(readElement(bytes).content);
  const [, subject, , attributes] = readElements(info?.content ?? new Uint8Array());
  if (!subject) throw new DerError("asn1: structure error: a request has a subject");
  const names = readElements(subject.content)
    .flatMap(({ content }) => readElements(content))
    .map(({ content }) => readElements(content));
  const valuesOf = (identifier: string) =>
    names.flatMap(([type, value]) =>
      type && value && objectIdentifier(type.content) === identifier ? [textOf(value.content)] : [],
    );
  const alternatives = attributes?.tag === attributesTag ? alternativeNames(attributes.content) : [];
  const namesWith = (tag: number) =>
    alternatives.filter((name) => name.tag === tag).map(({ content }) => textOf(content));
  return {
    type: "request",
    commonName: valuesOf(identifiers.commonName).at(-1) ?? "",
    organizations: valuesOf(identifiers.organization),
    dnsNames: namesWith(nameTags.dns),
    emailAddresses: namesWith(nameTags.email),
    ipAddresses: namesWith(nameTags.ip).length,
    uris: namesWith(nameTags.uri),
  };
}

function alternativeNames(attributes: Uint8Array): readonly DerElement[] {
  return readElements(attributes)
    .map(({ content }) => readElements(content))
    .filter(([type]) => type && objectIdentifier(type.content) === identifiers.extensionRequest)
    .flatMap(([, values]) => readElements(values?.content ?? new Uint8Array()))
    .flatMap(({ content }) => readElements(content))
    .map(({ content }) => readElements(content))
    .filter(([type]) => type && objectIdentifier(type.content) === identifiers.alternativeNames)
    .flatMap((parts) => parts.filter(({ tag }) => tag === octetString))
    .flatMap(({ content }) => readElements(readElement(content).content));
}
