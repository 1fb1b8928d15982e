import { isDNS1035Label, isDNS1123Subdomain } from "../../../apimachinery/index.ts";

type Format = (value: string) => boolean;

const matching =
  (pattern: RegExp): Format =>
  (value) =>
    pattern.test(value);

const octet = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

function isIPv4(value: string): boolean {
  const parts = value.split(".");
  return parts.length === 4 && parts.every((part) => octet.test(part));
}

function isIPv6(value: string): boolean {
  const groups = value.split(":");
  const last = groups.at(-1) ?? "";
  const hasIPv4 = last.includes(".");
  if (hasIPv4 && !isIPv4(last)) return false;
  const plain = hasIPv4 ? groups.slice(0, -1) : groups;
  const wanted = hasIPv4 ? 6 : 8;
  const isGroup = (group: string) => /^[0-9a-f]{1,4}$/i.test(group);
  const halves = value.split("::");
  if (halves.length === 1) return plain.length === wanted && plain.every(isGroup);
  if (halves.length > 2 || value.includes(":::") || /^:(?!:)|[^:]:$/.test(value)) return false;
  const named = plain.filter((group) => group !== "");
  return named.length < wanted && named.every(isGroup);
}

function isCIDR(value: string): boolean {
  const [address = "", prefix = "", ...more] = value.split("/");
  if (more.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return false;
  return isIPv4(address) ? Number(prefix) <= 32 : isIPv6(address) && Number(prefix) <= 128;
}

const isDay = (value: string): boolean => {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
};

const moment =
  /^(\d{4}-\d\d-\d\d)t(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/i;

const isMoment: Format = (value) => {
  const [, day] = moment.exec(value) ?? [];
  return day !== undefined && isDay(day);
};

function isURI(value: string): boolean {
  // What starts with a slash is a path, which a request may be sent to.
  if (/[\s\p{Cc}]/u.test(value) || /%(?![0-9a-f]{2})/i.test(value)) return false;
  return /^\/|^[a-z][a-z0-9+.-]*:/i.test(value);
}

function isISBN10(value: string): boolean {
  const digits = value.replaceAll(/[\s-]/g, "");
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = Array.from(digits, (digit, index) => (index + 1) * (digit === "X" ? 10 : Number(digit)));
  return sum.reduce((total, part) => total + part, 0) % 11 === 0;
}

function isISBN13(value: string): boolean {
  const digits = value.replaceAll(/[\s-]/g, "");
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = Array.from(digits, (digit, index) => Number(digit) * (index % 2 === 0 ? 1 : 3));
  return sum.reduce((total, part) => total + part, 0) % 10 === 0;
}

const hex = (groups: string) => new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${groups}-?[0-9a-f]{12}$`, "i");
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const durationUnit = "(?:ns|us|µs|μs|ms|s|m|h|d|w)";
const duration = new RegExp(`^[+-]?(?:0|(?:(?:\\d+(?:\\.\\d*)?|\\.\\d+) ?${durationUnit})+)$`);
const mac =
  /^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5,7}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5,7}|(?:[0-9a-f]{4}\.){2,3}[0-9a-f]{4})$/i;
const label = "[a-z0-9\\p{S}\\p{L}](?:[a-z0-9\\p{S}\\p{L}-]{0,61}[a-z0-9\\p{S}\\p{L}])?";
const hostname = new RegExp(`^${label}(?:\\.${label})*$`, "iu");
const mostInHostname = 255;
const rgb =
  /^rgb\(\s*(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\s*,\s*(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){2}\s*\)$/;

/** By name without dashes. */
const formats: Readonly<Record<string, Format>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  uri: isURI,
  email: matching(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: (value) => value.length <= mostInHostname && hostname.test(value),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCIDR,
  mac: matching(mac),
  uuid: matching(hex("[0-9a-f]{4}-?[0-9a-f]{4}")),
  uuid3: matching(hex("3[0-9a-f]{3}-?[0-9a-f]{4}")),
  uuid4: matching(hex("4[0-9a-f]{3}-?[89ab][0-9a-f]{3}")),
  uuid5: matching(hex("5[0-9a-f]{3}-?[89ab][0-9a-f]{3}")),
  isbn: (value) => isISBN10(value) || isISBN13(value),
  isbn10: isISBN10,
  isbn13: isISBN13,
  creditcard: matching(/^(?:[ -]?\d){12,19}$/),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matching(rgb),
  byte: matching(base64),
  password: () => true,
  date: isDay,
  duration: matching(duration),
  datetime: isMoment,
  k8sshortname: (value) => isDNS1035Label(value).length === 0,
  k8slongname: (value) => isDNS1123Subdomain(value).length === 0,
};

/** Whether anything is known of a format; others ask for nothing. */
export const isKnownFormat = (format: string): boolean => Object.hasOwn(formats, format.replaceAll("-", ""));

/** Whether text is of a known format. */
export const isOfFormat = (value: string, format: string): boolean =>
  formats[format.replaceAll("-", "")]?.(value) === true;
