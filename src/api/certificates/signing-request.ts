import { fromBase64Bytes } from "../core/data.ts";
import {
  bitsOf,
  DerError,
  objectIdentifier,
  readElement,
  readElements,
  readSequence,
  textOf,
} from "./der.ts";
import type { DerElement } from "./der.ts";
import { pemBlocksOfBase64 } from "./pem.ts";
import type { Signed } from "./signature.ts";
import { alternativeNames } from "./x509.ts";
import type { AlternativeNames } from "./x509.ts";

/** Who a PEM signing request is for, as far as rules ask; or why it cannot be read. */
export type ParsedRequest =
  | ({
      readonly type: "request";
      readonly commonName: string;
      readonly organizations: readonly string[];
      /** By what the request shows that its sender has the key. */
      readonly proof: Signed;
    } & AlternativeNames)
  | { readonly type: "unreadable"; readonly why: string };

const identifiers = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  extensionRequest: "1.2.840.113549.1.9.14",
};
const attributesTag = 0xa0;
const nothing = new Uint8Array();

/** Reads what a CertificateSigningRequest holds: base64 of PEM. */
export function parseSigningRequest(base64: string | undefined): ParsedRequest {
  // The first block counts, whatever it is.
  const [block] = pemBlocksOfBase64(base64);
  if (block?.type !== "CERTIFICATE REQUEST") {
    return { type: "unreadable", why: "PEM block type must be CERTIFICATE REQUEST" };
  }
  return parseRequestBytes(block.bytes);
}

/** Reads what a PodCertificateRequest holds: base64 of the DER of a request. */
export function parseBase64Request(base64: string): ParsedRequest {
  return parseRequestBytes(fromBase64Bytes(base64) ?? nothing);
}

function parseRequestBytes(bytes: Uint8Array): ParsedRequest {
  try {
    return readRequest(bytes);
  } catch (error) {
    if (error instanceof DerError) return { type: "unreadable", why: error.message };
    throw error;
  }
}

function readRequest(bytes: Uint8Array): ParsedRequest {
  const [info, algorithm, signature] = readSequence(bytes, "certificateRequest");
  const [, subject, publicKey, attributes] = readSequence(info?.bytes ?? nothing, "tbsCertificateRequest");
  if (!info || !subject || !publicKey || !algorithm || !signature) {
    throw new DerError("asn1: syntax error: sequence truncated");
  }
  const names = readElements(subject.content)
    .flatMap(({ content }) => readElements(content))
    .map(({ content }) => readElements(content));
  const valuesOf = (identifier: string) =>
    names.flatMap(([type, value]) =>
      type && value && objectIdentifier(type.content) === identifier ? [textOf(value.content)] : [],
    );
  return {
    type: "request",
    commonName: valuesOf(identifiers.commonName).at(-1) ?? "",
    organizations: valuesOf(identifiers.organization),
    ...alternativeNames(attributes?.tag === attributesTag ? extensionsOf(attributes.content) : []),
    proof: {
      algorithm: readElements(algorithm.content),
      publicKey: publicKey.bytes,
      signed: info.bytes,
      signature: bitsOf(signature.content),
    },
  };
}

function extensionsOf(attributes: Uint8Array): readonly DerElement[] {
  return readElements(attributes)
    .map(({ content }) => readElements(content))
    .filter(([type]) => type && objectIdentifier(type.content) === identifiers.extensionRequest)
    .flatMap(([, values]) => readElements(readElement(values?.content ?? nothing).content));
}
