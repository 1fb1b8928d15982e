import {
  cidrContains,
  formatIP,
  goQuote,
  parseCIDR,
  parseIP,
  type AddressBytes,
  type CIDR,
} from "../../apimachinery/index.ts";
import { boolType, intType, opaqueType, stringType } from "../check/types.ts";
import { text } from "../values/arguments.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { OpaqueValue, type Value } from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";

const ipType = opaqueType("net.IP");
const cidrType = opaqueType("net.CIDR");

const sameBytes = (one: AddressBytes, other: AddressBytes): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

class Ip extends OpaqueValue {
  readonly typeName = ipType.name;
  readonly bytes: AddressBytes;

  constructor(bytes: AddressBytes) {
    super();
    this.bytes = bytes;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof Ip && sameBytes(this.bytes, other.bytes);
  }

  override get costSize(): number {
    return this.bytes.length;
  }
}

class Cidr extends OpaqueValue {
  readonly typeName = cidrType.name;
  readonly range: CIDR;

  constructor(range: CIDR) {
    super();
    this.range = range;
  }

  equals(other: OpaqueValue): boolean {
    return (
      other instanceof Cidr &&
      this.range.prefixLength === other.range.prefixLength &&
      sameBytes(this.range.address, other.range.address)
    );
  }

  override get costSize(): number {
    return Math.ceil(this.range.prefixLength / 8);
  }
}

const isMapped = (bytes: AddressBytes): boolean =>
  bytes.length === 16 &&
  bytes.slice(0, 10).every((byte) => byte === 0) &&
  bytes[10] === 255 &&
  bytes[11] === 255;

/** The address, or what is wrong with it. */
function readIp(raw: string): AddressBytes | string {
  const [address = "", zone] = raw.split("%", 2);
  const bytes = parseIP(address);
  if (!bytes || (zone !== undefined && bytes.length === 4)) {
    const quoted = goQuote(raw);
    return `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): unable to parse IP`;
  }
  if (zone !== undefined) return `IP address ${goQuote(raw)} with zone value is not allowed`;
  return isMapped(bytes) ? `IPv4-mapped IPv6 address ${goQuote(raw)} is not allowed` : bytes;
}

function readCidr(raw: string): CIDR | string {
  const range = parseCIDR(raw);
  if (!range) {
    const quoted = goQuote(raw);
    const reason = raw.includes("/") ? "unable to parse IP" : "no '/'";
    return `network address parse error during conversion from string: netip.ParsePrefix(${quoted}): ${reason}`;
  }
  return isMapped(range.address) ? `IPv4-mapped IPv6 address ${goQuote(raw)} is not allowed` : range;
}

function toIp(value: Value): Ip {
  const read = readIp(text(value));
  if (typeof read === "string") throw new EvaluationError(read);
  return new Ip(read);
}

function toCidr(value: Value): Cidr {
  const read = readCidr(text(value));
  if (typeof read !== "string") return new Cidr(read);
  throw new EvaluationError(`network address parse error during conversion from string: ${read}`);
}

function ip(value: Value): AddressBytes {
  if (!(value instanceof Ip)) throw noSuchOverload();
  return value.bytes;
}

function cidr(value: Value): CIDR {
  if (!(value instanceof Cidr)) throw noSuchOverload();
  return value.range;
}

const isUnspecified = (bytes: AddressBytes): boolean => bytes.every((byte) => byte === 0);

const isLoopback = (bytes: AddressBytes): boolean =>
  bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));

const isMulticast = (bytes: AddressBytes): boolean =>
  bytes.length === 4 ? ((bytes[0] ?? 0) & 0xf0) === 0xe0 : bytes[0] === 0xff;

const isLinkLocalMulticast = (bytes: AddressBytes): boolean =>
  bytes.length === 4
    ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
    : bytes[0] === 0xff && ((bytes[1] ?? 0) & 0x0f) === 2;

const isLinkLocalUnicast = (bytes: AddressBytes): boolean =>
  bytes.length === 4
    ? bytes[0] === 169 && bytes[1] === 254
    : bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;

const isGlobalUnicast = (bytes: AddressBytes): boolean =>
  !(bytes.length === 4 && bytes.every((byte) => byte === 255)) &&
  !isUnspecified(bytes) &&
  !isLoopback(bytes) &&
  !isMulticast(bytes) &&
  !isLinkLocalUnicast(bytes);

const property = (name: string, id: string, test: (bytes: AddressBytes) => boolean) =>
  fn(
    name,
    method(id, [ipType, boolType], (value) => test(ip(value))),
  );

/** `ip`, `isIP` and what addresses are. */
export const ipLibrary: Library = {
  name: "kubernetes.net.ip",
  types: [ipType],
  functions: [
    fn("ip", signature("string_to_ip", [stringType, ipType], toIp)),
    fn(
      "isIP",
      signature("is_ip", [stringType, boolType], (value) => typeof readIp(text(value)) !== "string"),
    ),
    fn(
      "ip.isCanonical",
      signature("ip_is_canonical", [stringType, boolType], (value) => formatIP(toIp(value).bytes) === value),
    ),
    fn(
      "family",
      method("ip_family", [ipType, intType], (value) => (ip(value).length === 4 ? 4 : 6)),
    ),
    property("isUnspecified", "ip_is_unspecified", isUnspecified),
    property("isLoopback", "ip_is_loopback", isLoopback),
    property("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
    property("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
    property("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
    fn(
      "string",
      signature("ip_to_string", [ipType, stringType], (value) => formatIP(ip(value))),
    ),
  ],
};

function containsCidr(outer: CIDR, inner: CIDR): boolean {
  // As upstream does, the address of the inner range is compared, not its first one.
  const within = { ...outer, network: outer.network };
  return (
    outer.prefixLength <= inner.prefixLength &&
    outer.network.length === inner.address.length &&
    cidrContains(within, inner.address) &&
    sameBytes(outer.network, maskedBy(inner.address, outer.prefixLength))
  );
}

const maskedBy = (address: AddressBytes, prefixLength: number): AddressBytes =>
  address.map((byte, index) => byte & (0xff00 >> Math.min(Math.max(prefixLength - index * 8, 0), 8)) & 0xff);

/** `cidr`, `isCIDR` and what ranges of addresses can do. */
export const cidrLibrary: Library = {
  name: "net.cidr",
  types: [cidrType],
  functions: [
    fn("cidr", signature("string_to_cidr", [stringType, cidrType], toCidr)),
    fn(
      "isCIDR",
      signature("is_cidr", [stringType, boolType], (value) => typeof readCidr(text(value)) !== "string"),
    ),
    fn(
      "containsIP",
      method("cidr_contains_ip_string", [cidrType, stringType, boolType], (value, address) =>
        cidrContains(cidr(value), toIp(address).bytes),
      ),
      method("cidr_contains_ip_ip", [cidrType, ipType, boolType], (value, address) =>
        cidrContains(cidr(value), ip(address)),
      ),
    ),
    fn(
      "containsCIDR",
      method("cidr_contains_cidr_string", [cidrType, stringType, boolType], (value, other) =>
        containsCidr(cidr(value), toCidr(other).range),
      ),
      method("cidr_contains_cidr", [cidrType, cidrType, boolType], (value, other) =>
        containsCidr(cidr(value), cidr(other)),
      ),
    ),
    fn(
      "ip",
      method("cidr_ip", [cidrType, ipType], (value) => new Ip(cidr(value).address)),
    ),
    fn(
      "prefixLength",
      method("cidr_prefix_length", [cidrType, intType], (value) => cidr(value).prefixLength),
    ),
    fn(
      "masked",
      method("cidr_masked", [cidrType, cidrType], (value) => {
        const range = cidr(value);
        return new Cidr({ ...range, address: range.network });
      }),
    ),
    fn(
      "string",
      signature("cidr_to_string", [cidrType, stringType], (value) => {
        const { address, prefixLength } = cidr(value);
        return `${formatIP(address)}/${prefixLength}`;
      }),
    ),
  ],
};
