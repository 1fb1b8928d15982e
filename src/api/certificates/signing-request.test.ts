import { describe, expect, test } from "vitest";
import { signatureProblem } from "./signature.ts";
import { parseSigningRequest } from "./signing-request.ts";
import { certificateEnd } from "./x509.ts";

/** Made by openssl for /O=system:nodes/CN=system:node:one with one alternative name of each type. */
const request =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkp6Q0J6Z0lCQURBeE1SVXdFd1lEVlFRS0RBeHplWE4wWlcwNmJtOWtaWE14R0RBV0JnTlZCQU1NRDNONQpjM1JsYlRwdWIyUmxPbTl1WlRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkZGM2xJYzlLQ2Z2Cm9iV1ZwN2U0V2pxdGVEVlZGK1M1akVoeWZLNE8wN1RpcXdJRlZGWlZ6UEVYRnFLWDhRWUFqWjVZVWE2RlJRWnMKUDQzK3cwUlZwZ21nT3pBNUJna3Foa2lHOXcwQkNRNHhMREFxTUNnR0ExVWRFUVFoTUIrQ0EyOXVaWWNFQ2dBQQpBWUVGWVVCaUxtT0dDMmgwZEhCek9pOHZlQzU1TUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSVFEa3N6QWxqVnJQCjZHWnJIU25rRVQrVm5sTlRNekxEUXZCcDJ4YVlraU5RNUFJZ1UwM09Wc1NMckpQUTZkKzNLYmZyUFl6azR4Q0cKZ0drTVJpWXZ3WUNIK3JnPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
/** Made by openssl; ends at 2026-12-15T06:55:45Z. */
const certificate =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJiVENDQVJPZ0F3SUJBZ0lVYmEzbXpyWk1RcmVRSGUxMUlmQytBcG5mYThJd0NnWUlLb1pJemowRUF3SXcKRERFS01BZ0dBMVVFQXd3Qll6QWVGdzB5TmpFeE1qVXdOalUxTkRWYUZ3MHlOakV5TVRVd05qVTFORFZhTUF3eApDakFJQmdOVkJBTU1BV013V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJSZDVTSFBTZ243NkcxCmxhZTN1Rm82clhnMVZSZmt1WXhJY255dUR0TzA0cXNDQlZSV1ZjenhGeGFpbC9FR0FJMmVXRkd1aFVVR2JEK04KL3NORVZhWUpvMU13VVRBZEJnTlZIUTRFRmdRVWlOUzBpVUpYMTVXQVhua0RNZVFBR0t1RkJKMHdId1lEVlIwagpCQmd3Rm9BVWlOUzBpVUpYMTVXQVhua0RNZVFBR0t1RkJKMHdEd1lEVlIwVEFRSC9CQVV3QXdFQi96QUtCZ2dxCmhrak9QUVFEQWdOSUFEQkZBaUFhNWxyT1h3MXI2amF5QjlzUUZZZjFrMDFhQ1VZWEtSdVh6eUplVEVFUjNnSWgKQU1Zd3hmbER0Yk1YcGZVQkJGVzlYWDVzaFlLZ09LK1VGYXJOOUVFL1BiTW4KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

test("what a request asks for is read", () => {
  expect(parseSigningRequest(request)).toMatchObject({
    type: "request",
    commonName: "system:node:one",
    organizations: ["system:nodes"],
    dnsNames: ["one"],
    emailAddresses: ["a@b.c"],
    ipAddresses: 1,
    uris: ["https://x.y"],
  });
});

describe("what is no request is told", () => {
  const pem = (label: string, body: string) =>
    btoa(`-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`);
  const block = "PEM block type must be CERTIFICATE REQUEST";
  const cases: readonly (readonly [string, string | undefined, string])[] = [
    ["nothing", undefined, block],
    ["no base64", "***", block],
    ["no PEM", btoa("hello"), block],
    ["another block", pem("CERTIFICATE", "MAA="), block],
    ["bytes that end early", pem("CERTIFICATE REQUEST", "MIIBJw=="), "asn1: syntax error: data truncated"],
    ["an empty sequence", pem("CERTIFICATE REQUEST", "MAA="), "asn1: syntax error: sequence truncated"],
  ];
  test.each(cases)("%s", (_, given, why) => {
    expect(parseSigningRequest(given)).toEqual({ type: "unreadable", why });
  });
});

describe("whoever asks has the key", () => {
  const proofOf = (given: string) => {
    const parsed = parseSigningRequest(given);
    if (parsed.type === "unreadable") throw new Error(parsed.why);
    return parsed.proof;
  };
  test("the request is signed with it", async () => {
    expect(await signatureProblem(proofOf(request))).toBeUndefined();
  });
  test("a request that was changed is not", async () => {
    const proof = proofOf(request);
    const signed = proof.signed.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
    expect(await signatureProblem({ ...proof, signed })).toBe("x509: ECDSA verification failure");
  });
});

test("a certificate's end is read", () => {
  expect(certificateEnd(certificate)).toBe(Date.parse("2026-12-15T06:55:45Z"));
  expect(certificateEnd(request)).toBeUndefined();
});
