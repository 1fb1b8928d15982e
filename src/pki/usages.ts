/** Bits of the key usage extension (RFC 5280, section 4.2.1.3), the first the highest, by the API's names. */
const keyUsageBits: Readonly<Record<string, number>> = {
  signing: 0x8000,
  "digital signature": 0x8000,
  "content commitment": 0x4000,
  "key encipherment": 0x2000,
  "data encipherment": 0x1000,
  "key agreement": 0x0800,
  "cert sign": 0x0400,
  "crl sign": 0x0200,
  "encipher only": 0x0100,
  "decipher only": 0x0080,
};

/** Object identifiers of extended key usages, by the API's names. */
const extendedUsages: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

/** What a certificate for these usages says; throws for usages that nobody knows. */
export function readUsages(usages: readonly string[]): {
  /** DER of the key usage extension; absent when no usage is one of a key. */
  readonly keyUsage?: Uint8Array<ArrayBuffer>;
  readonly extendedKeyUsages: string[];
} {
  const unknown = usages.filter((usage) => !keyUsageBits[usage] && !extendedUsages[usage]);
  if (unknown.length > 0) {
    throw new Error(
      `unrecognized usage values: [${unknown.map((usage) => JSON.stringify(usage)).join(" ")}]`,
    );
  }
  const bits = usages.reduce((sum, usage) => sum | (keyUsageBits[usage] ?? 0), 0);
  return {
    ...(bits === 0 ? {} : { keyUsage: bitString(bits) }),
    extendedKeyUsages: [...new Set(usages.flatMap((usage) => extendedUsages[usage] ?? []))],
  };
}

const bitStringTag = 3;

/** DER of up to 16 bits, without trailing zeros. */
function bitString(bits: number): Uint8Array<ArrayBuffer> {
  const unused = Math.log2(bits & -bits);
  const bytes = unused >= 8 ? [bits >> 8] : [bits >> 8, bits & 0xff];
  return Uint8Array.from([bitStringTag, bytes.length + 1, unused % 8, ...bytes]);
}
