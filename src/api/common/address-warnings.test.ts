import { expect, test } from "vitest";
import { FieldPath } from "../../apimachinery/index.ts";
import { cidrWarnings, ipWarnings } from "./address-warnings.ts";

const path = FieldPath.root("at");
const future = "will be considered invalid in a future Kubernetes release: use";

test.each([
  ["10.0.0.1", []],
  ["::ffff:10.0.0.1", [`non-standard IP address "::ffff:10.0.0.1" ${future} "10.0.0.1"`]],
  ["2001:DB8::0", ['IPv6 address "2001:DB8::0" should be in RFC 5952 canonical format ("2001:db8::")']],
])("address %s", (value, texts) => {
  expect(ipWarnings(value, path)).toEqual(texts.map((text) => `at: ${text}`));
});

test.each([
  ["10.0.0.0/8", []],
  [
    "10.0.0.1/8",
    ['CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)'],
  ],
  ["2001:db8::/32", []],
  [
    "2001:DB8::/32",
    ['IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")'],
  ],
])("range %s", (value, texts) => {
  expect(cidrWarnings(value, path)).toEqual(texts.map((text) => `at: ${text}`));
});
