import { expect, test } from "vitest";
import { frontTexts } from "./front-flags.ts";
import { frontSettings, proxyIdentity } from "./front-settings.ts";

test.each([
  [{ "max-requests-inflight": 10 }, { maxRequestsInflight: 10 }],
  [{ "request-timeout": "1m30s" }, { requestTimeout: 90_000 }],
  [{ "min-request-timeout": 60 }, { minRequestTimeoutSeconds: 60 }],
  [{ "goaway-chance": "0.001" }, { goawayChance: 0.001 }],
  [{ "enable-priority-and-fairness": false }, { priorityAndFairness: false }],
  [{ profiling: false }, { profiling: false }],
  [{ "anonymous-auth": false }, { anonymous: false }],
  [{ "feature-gates": "CBORServingAndStorage=true" }, { cbor: true }],
  [{ "feature-gates": "AllAlpha=true,CBORServingAndStorage=f" }, { cbor: false }],
  [{ "feature-gates": "AllBeta=true" }, { cbor: false }],
  [
    { "cors-allowed-origins": String.raw`//good\.example(:|$)` },
    { corsAllowedOrigins: [/\/\/good\.example(:|$)/] },
  ],
  [
    { "strict-transport-security-directives": "max-age=31536000,includeSubDomains" },
    { strictTransportSecurityDirectives: ["max-age=31536000", "includeSubDomains"] },
  ],
])("%o sets %o", (flags, settings) => {
  expect(frontSettings(frontTexts(flags))).toEqual(settings);
});

test.each([
  [{ "goaway-chance": "0.5" }, "--goaway-chance can not be less than 0 or greater than 0.02"],
  [{ "feature-gates": "Foo=true" }, "--feature-gates unrecognized feature gate: Foo"],
  [{ "feature-gates": "AllAlpha" }, "--feature-gates missing bool value for AllAlpha"],
  [{ "feature-gates": "AllAlpha=x" }, "--feature-gates invalid value of AllAlpha=x, err: strconv.ParseBool"],
  [{ "request-timeout": "-1s" }, "--request-timeout can not be negative value"],
  [{ "request-timeout": "soon" }, '--request-timeout time: invalid duration "soon"'],
  [
    { "cors-allowed-origins": "good.example" },
    "--cors-allowed-origins regular expression does not pin to start",
  ],
  [{ "strict-transport-security-directives": "x" }, "--strict-transport-security-directives x is invalid"],
  [
    { "max-requests-inflight": 0, "max-mutating-requests-inflight": 0 },
    "MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up to something positive",
  ],
  [{ "requestheader-client-ca-file": "/none" }, "--requestheader-client-ca-file cannot be read"],
])("%o is refused", (flags, message) => {
  expect(() => frontSettings(frontTexts(flags))).toThrow(message);
});

test.each([
  [{ "proxy-client-cert-file": "/none" }, "must be specified together"],
  [
    { "proxy-client-cert-file": "/none", "proxy-client-key-file": "/none" },
    "--proxy-client-cert-file cannot",
  ],
])("%o is no identity", (flags, message) => {
  expect(() => proxyIdentity(frontTexts(flags))).toThrow(message);
});
