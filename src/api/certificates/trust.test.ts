import { describe, expect, test } from "vitest";
import { creationProblems, defaulted, statusProblems, testNow, updateProblems } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { clusterTrustBundleDefinition } from "./cluster-trust-bundle.ts";
import { podCertificateRequestDefinition } from "./pod-certificate-request.ts";

const pem = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
/** Made by openssl: an authority named c. */
const authority = pem(
  "CERTIFICATE",
  "MIIBTTCB9KADAgECAhQ9gGSBvhBnwDA8amFp/k2yrOQKLjAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAFjMCAXDTI2MTEyNTEwMjUzNloYDzIxMjYxMTAxMTAyNTM2WjAMMQowCAYDVQQDDAFjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5unUwb53eM5spdN+qi/NvYlCeHA9hu4IuZyLqTz85P8EzUKSaOcG4UhFs2G4Zls8+ar5k79LeE2MoKljxcX7dKMyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQU+yN6R91wItEs83zZXU1IcYYJaEAwCgYIKoZIzj0EAwIDSAAwRQIgP5osMZxjHPaIRSN19FxZyGYzEIMm/YEAkazwlVt2ddgCIQDQbh6adwCSAIkx2UyJ23/8XlTZEGlNed5ZlvSbZfNKvQ==",
);
/** Issued by c for the key below and a.b, for the first half of the day that tests take place. */
const leaf = pem(
  "CERTIFICATE",
  "MIIBVzCB/6ADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWMwHhcNMjYwMTAxMDAwMDAwWhcNMjYwMTAxMTIwMDAwWjAMMQowCAYDVQQDDAFsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+l4s2MnSXfl0pD+LSEzQx3/hRc2GKQXcOoKEXfl/ZTpsbRisNApSe4yHZmiqaMeid/QaRlOae/yPkaDs6Sxx06NSMFAwDgYDVR0RBAcwBYIDYS5iMB0GA1UdDgQWBBSyGiDjoFxOg6fh9ANDB5prUtg85TAfBgNVHSMEGDAWgBT7I3pH3XAi0SzzfNldTUhxhgloQDAKBggqhkjOPQQDAgNHADBEAiB9ykptqdAdHUV5+FKtVxa3DLFc6F2CAGJE0ReFRwXWCwIgR4zsGuxrQFzghoZ129ev9V/heqIfFnBreIM3cYky79M=",
);
const key =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+l4s2MnSXfl0pD+LSEzQx3/hRc2GKQXcOoKEXfl/ZTpsbRisNApSe4yHZmiqaMeid/QaRlOae/yPkaDs6Sxx0w==";
/** The UID pod-uid signed with the key. */
const proof =
  "MEQCIFOTHBzCFyJo4pk/KwL/gHicH/6Tx3Bjxp6XxAK9WXigAiBzg1YK9m55rSw/XmYzJ0HAqp9wcAwKHvuu7RqM4ofneQ==";
/** A request of PKCS #10 made with the key. */
const stub =
  "MIHGMG4CAQAwDDEKMAgGA1UEAwwBbDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPpeLNjJ0l35dKQ/i0hM0Md/4UXNhikF3DqChF35f2U6bG0YrDQKUnuMh2ZoqmjHonf0GkZTmnv8j5Gg7OkscdOgADAKBggqhkjOPQQDAgNIADBFAiA7wwqGG5kRhKfaxU57veGcrQXFA1IfcvhO+FpAwkyB3AIhAKBWL6FRF/AaXiKwo6QD+0Ex2Zi3RytBtErOWz70OmpF";
const smallCurve =
  "ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAEnmd61vkhntdcVCVU4eS+1FlQJTGAqfopG0Es1nAuDmGg70yziCLPrGdwkht4re3mwr601bZ9Imk=";
const smallModulus =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApeaw3iWJhiyB1wSMl/B5aQ57IuRV10MkjdZBCxovb9PpRHjGh8pQgdnwOnZRXXLRjWiQnkn2aFhTgvpgA7xk2VyHWqHC6jHQ9pdH3gbhLPTn7jWTnzVEo9l4PQdFe/yXguer1DrMeGTh5BBS7iTlrSuT2EwW7iITR3hD/TDthIzWI5Gm36HD+9WpMEVECL+uAJu7E1cWAmSlbeimifNwbinzU5ZKQN6bHPlzySgGEkWSXPtY9mdy0MrNGrfNl8PF2vgKLHswJK42vHRhXOBhmkjDvMOW/pKplVFWo67xEZ459F+z4f/FGLmRuXCSt9Ru3o3G048lCtR6//JWl/PbXQIDAQAB";

type Case = readonly [name: string, change: Sketch, problems: readonly string[]];

describe("bundles of trusted certificates", () => {
  const bundle = (spec: Sketch, metadata: Sketch = { name: "x" }): Sketch => ({
    metadata,
    spec: { trustBundle: authority, ...spec },
  });
  const told = (problem: string) => `spec.trustBundle: Invalid value: "<value omitted>": ${problem}`;
  const cases: readonly Case[] = [
    ["one without a signer", bundle({}), []],
    ["one of a signer", bundle({ signerName: "a.b/c" }, { name: "a.b:c:x" }), []],
    [
      "a colon without a signer",
      bundle({}, { name: "a:x" }),
      [
        'metadata.name: Invalid value: "a:x": ClusterTrustBundle without signer name must not have ":" in its name',
      ],
    ],
    [
      "a signer that the name lacks",
      bundle({ signerName: "a.b/c" }),
      [
        'metadata.name: Invalid value: "x": ClusterTrustBundle for signerName a.b/c must be named with prefix a.b:c:',
      ],
    ],
    ["nothing in it", bundle({ trustBundle: "x" }), [told("at least one trust anchor must be provided")]],
    [
      "one that is not there",
      bundle({ trustBundle: undefined }),
      [told("at least one trust anchor must be provided")],
    ],
    [
      "other things in it",
      bundle({
        trustBundle: pem("KEY", "AAAA") + pem("CERTIFICATE", "a: b\n\nAAAA") + pem("CERTIFICATE", "AAAA"),
      }),
      [
        told("entry 0 has bad block type: KEY"),
        told("entry 1 has PEM block headers"),
        told("entry 2 does not parse as X.509"),
      ],
    ],
    ["no authority", bundle({ trustBundle: leaf }), [told("entry 0 does not have the CA bit set")]],
    [
      "one twice",
      bundle({ trustBundle: authority + authority }),
      [told("duplicate trust anchor (indices [0 1])")],
    ],
    [
      "too much",
      bundle({ trustBundle: "x".repeat(1024 * 1024 + 1) }),
      ["spec.trustBundle: Too long: may not be more than 1048576 bytes"],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(clusterTrustBundleDefinition, sketch)).toEqual(problems);
  });
  test("what is there already is not parsed; the signer stays", () => {
    const old = bundle({ trustBundle: "x" });
    const change = (next: Sketch) => updateProblems(clusterTrustBundleDefinition, { old, next });
    expect(change(bundle({ trustBundle: "x" }))).toEqual([]);
    expect(change(bundle({ trustBundle: "y" }))).toHaveLength(1);
    expect(change(bundle({ trustBundle: "x", signerName: "a.b/c" }, { name: "a.b:c:x" }))).toEqual([
      'spec.signerName: Invalid value: "a.b/c": field is immutable',
    ]);
  });
});

const spec: Sketch = {
  signerName: "a.b/c",
  podName: "p",
  podUID: "pod-uid",
  serviceAccountName: "s",
  serviceAccountUID: "1",
  nodeName: "n",
  nodeUID: "2",
  pkixPublicKey: key,
  proofOfPossession: proof,
  stubPKCS10Request: null,
};

describe("new requests of pods", () => {
  const refusal = (field: string, why: string) => `spec.${field}: Invalid value: ${why}`;
  const cases: readonly Case[] = [
    ["a good one", {}, []],
    ["a good stub", { pkixPublicKey: null, proofOfPossession: null, stubPKCS10Request: stub }, []],
    [
      "nobody's",
      { podUID: "", serviceAccountUID: "x".repeat(129), nodeName: "N" },
      [
        refusal("podUID", '"": must not be empty'),
        "spec.serviceAccountUID: Too long: may not be more than 128 bytes",
        refusal(
          "nodeName",
          "\"N\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
      ],
    ],
    [
      "a short life",
      { maxExpirationSeconds: 5 },
      [refusal("maxExpirationSeconds", "5: must be in the range [3600, 7862400]")],
    ],
    [
      "a long life from Kubernetes",
      { signerName: "kubernetes.io/x", maxExpirationSeconds: 86401 },
      [refusal("maxExpirationSeconds", "86401: must be in the range [3600, 86400]")],
    ],
    [
      "no key",
      { pkixPublicKey: "AAAA" },
      [refusal("pkixPublicKey", '"AAAA": must be a valid PKIX-serialized public key')],
    ],
    [
      "a small curve",
      { pkixPublicKey: smallCurve },
      [refusal("pkixPublicKey", '"curve P-224": elliptic public keys must use curve P256 or P384')],
    ],
    [
      "a small modulus",
      { pkixPublicKey: smallModulus },
      [refusal("pkixPublicKey", '"2048-bit modulus": RSA keys must have modulus size 3072 or 4096')],
    ],
    [
      "a long proof",
      { proofOfPossession: "A".repeat(13_656) },
      ["spec.proofOfPossession: Too long: may not be more than 10240 bytes"],
    ],
  ];
  test.each(cases)("%s", (_, change, problems) => {
    const request = { spec: { ...spec, ...change } };
    expect(creationProblems(podCertificateRequestDefinition, request)).toEqual(problems);
  });
  const proofs: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["is that of the pod's UID", {}, []],
    ["is not that of another", { podUID: "other" }, ["spec.proofOfPossession"]],
    ["is not missing", { proofOfPossession: null }, ["spec.proofOfPossession"]],
    ["is in the stub", { pkixPublicKey: null, stubPKCS10Request: stub }, []],
    [
      "is not in a changed stub",
      { stubPKCS10Request: stub.replace("AwwBb", "AwwBc") },
      ["spec.stubPKCS10Request"],
    ],
  ];
  test.each(proofs)("the proof %s", async (_, change, fields) => {
    const request = defaulted(podCertificateRequestDefinition, { spec: { ...spec, ...change } });
    const errors = await podCertificateRequestDefinition.verify?.(request);
    expect(errors?.map(({ field }) => field)).toEqual(fields);
  });
  test("live a day, and do not change", () => {
    const { spec: filled } = defaulted(podCertificateRequestDefinition, { spec });
    expect(filled.maxExpirationSeconds).toBe(86_400);
    const next = { spec: { ...spec, podName: "q" } };
    const [problem] = updateProblems(podCertificateRequestDefinition, { old: { spec }, next });
    expect(problem).toMatch(
      /^spec: Invalid value: \{"SignerName":"a.b\/c","PodName":"q".*: field is immutable$/,
    );
  });
});

describe("what becomes of requests of pods", () => {
  const time = new Date(testNow).toISOString().replace(".000", "");
  const condition = (type: string, status = "True") => ({
    type,
    status,
    reason: "R",
    lastTransitionTime: time,
  });
  const issued = {
    conditions: [condition("Issued")],
    certificateChain: leaf + authority,
    notBefore: "2026-01-01T00:00:00Z",
    beginRefreshAt: "2026-01-01T06:00:00Z",
    notAfter: "2026-01-01T12:00:00Z",
  };
  const only = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
  const empty =
    "status: Invalid value: non-condition status fields must be empty when denying or failing the PodCertificateRequest";
  const chain = (text: string, why: string) =>
    `status.certificateChain: Invalid value: ${JSON.stringify(text)}: ${why}`;
  const cases: readonly (readonly [string, Sketch, Sketch, readonly string[]])[] = [
    ["issued", {}, issued, []],
    ["denied", {}, { conditions: [condition("Denied")] }, []],
    ["nothing", {}, {}, []],
    [
      "no outcome",
      {},
      { notBefore: time },
      ['status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"'],
    ],
    [
      "over",
      { conditions: [condition("Denied")] },
      issued,
      ["status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed"],
    ],
    ["failed with a certificate", {}, { ...issued, conditions: [condition("Failed")] }, [empty]],
    [
      "several outcomes",
      {},
      { conditions: [condition("Issued"), condition("Denied", "False"), condition("Odd")] },
      [
        `status.conditions.[1].type: Invalid value: "Denied": ${only}`,
        'status.conditions.[1].status: Unsupported value: "False": supported values: "True"',
        'status.conditions.[2].type: Unsupported value: "Odd": supported values: "Issued", "Denied", "Failed"',
      ],
    ],
    [
      "no certificate",
      {},
      { ...issued, certificateChain: "x" },
      [chain("x", "issued certificate chain must contain at least one certificate")],
    ],
    [
      "another's certificate",
      {},
      { ...issued, certificateChain: authority },
      [chain(authority, "leaf certificate was not issued to the requested public key")],
    ],
    [
      "no times",
      {},
      { conditions: issued.conditions, certificateChain: leaf },
      [
        "status.notBefore: Required value: must be present and consistent with the issued certificate",
        "status.notAfter: Required value: must be present and consistent with the issued certificate",
        "status.beginRefreshAt: Required value: must be present and in the range [notbefore+10min, notafter-10min]",
      ],
    ],
    [
      "another end",
      {},
      { ...issued, notAfter: time },
      [
        `status.notAfter: Invalid value: "${time}": must be set to the NotAfter time encoded in the leaf certificate`,
      ],
    ],
    [
      "a late refresh",
      {},
      { ...issued, beginRefreshAt: issued.notAfter },
      [
        `status.beginRefreshAt: Invalid value: "${issued.notAfter}": must be at least 10 minutes before status.notAfter`,
      ],
    ],
  ];
  test.each(cases)("%s", (_, old, next, problems) => {
    const sketches = { old: { spec, status: old }, next: { spec, status: next } };
    expect(statusProblems(podCertificateRequestDefinition, sketches)).toEqual(problems);
  });
  test("the life that was asked for is the longest", () => {
    const short = { ...spec, maxExpirationSeconds: 3600 };
    const sketches = { old: { spec: short, status: {} }, next: { spec: short, status: issued } };
    expect(statusProblems(podCertificateRequestDefinition, sketches)).toEqual([
      "status.certificateChain: Invalid value: 43200000000000: leaf certificate lifetime must be <= spec.maxExpirationSeconds (3600)",
    ]);
  });
});
