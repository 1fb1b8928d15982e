import { describe, expect, test } from "vitest";
import { created, creationProblems, updateProblems, warningsOf } from "../testing/check.ts";
import { keyPairProblem } from "./key-pair.ts";
import { secretDefinition } from "./secret.ts";
import { serviceAccountDefinition } from "./service-account.ts";

const block = (type: string, body = "MAA=") => `-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`;
/** Made by openssl, for these tests alone. */
const certificate = block(
  "CERTIFICATE",
  "MIIBbzCCARWgAwIBAgIURz0YyeLkCXlENSLOukA7bbHmcocwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjUxNDE5MDdaGA8yMTI2MTEwMTE0MTkwN1owDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCy3APGFHb5gBJLo9FXt+LE3xVMf/oOK08b5/WCnZfd1Et2xhFlmei1HhtRxngAEIs82xq1mOGCkfIs9gaSHb/2jUzBRMB0GA1UdDgQWBBTdb2NvWTlR0o+YkTfkyaQRp7j8azAfBgNVHSMEGDAWgBTdb2NvWTlR0o+YkTfkyaQRp7j8azAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCbF1MV74zqm3/d7vf3E1GhSVEUWhwBUgl+VNkhC3ceuwIgG7cc9a0shSPSLycVXHFVS6NsGvcNan3xkNi0cmb/tdY=",
);
const key = block(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg43UqxwXx8+OhrPXT0sWakhYvubV5juCVPEYwaXtUBrqhRANCAAQstwDxhR2+YASS6PRV7fixN8VTH/6DitPG+f1gp2X3dRLdsYRZZnotR4bUcZ4ABCLPNsatZjhgpHyLPYGkh2/9",
);
const bareKey = block(
  "EC PRIVATE KEY",
  "MHcCAQEEION1KscF8fPjoaz109LFmpIWL7m1eY7glTxGMGl7VAa6oAoGCCqGSM49AwEHoUQDQgAELLcA8YUdvmAEkuj0Ve34sTfFUx/+g4rTxvn9YKdl93US3bGEWWZ6LUeG1HGeAAQizzbGrWY4YKR8iz2BpIdv/Q==",
);
const otherKey = block(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgE8pJKHpH0Cei6WyUZkEYlmGa/qzaQtwZhkW11THSEtmhRANCAARQaCBCiMDi/y/Co7KqxvQHAe3g4Ny4XQxUgXiriELBtaYqry+wu5tVUYclFh+Yzgkc0Vh5EbW/fjgEZQ1/Ludk",
);
/** The frame of a key of another kind. */
const edKey = block("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ6PulvLmj974JzjG4ZpX51h6AavK1xcbGOD9TYvTMcJ");
const unknownKey = block("PRIVATE KEY", "MC4CAQAwBQYDK2VuBCIEIJAGGM1GOC2J157YCM0c4xj6+qhyMwMtB3tTySOLYx9N");
const rsaKey = block("RSA PRIVATE KEY", btoa("\x30\x1b" + "\x02\x01\x01".repeat(9)));

describe("what is wrong with a certificate and a key", () => {
  test.each<[string, string, string | undefined]>([
    [certificate, key, undefined],
    [certificate, bareKey, undefined],
    [certificate, otherKey, "tls: private key does not match public key"],
    [certificate, edKey, "tls: private key type does not match public key type"],
    [certificate, rsaKey, "tls: private key type does not match public key type"],
    [certificate, unknownKey, "tls: found unknown private key type in PKCS#8 wrapping"],
    [certificate, block("PRIVATE KEY"), "tls: failed to parse private key"],
    [block("CERTIFICATE"), key, "x509: malformed certificate"],
    ["", key, "tls: failed to find any PEM data in certificate input"],
    [certificate, "", "tls: failed to find any PEM data in key input"],
    [
      key,
      certificate,
      "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
    ],
    [certificate, certificate, "tls: found a certificate rather than a key in the PEM for the private key"],
    [
      block("A") + block("B"),
      key,
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B]',
    ],
    [block("CERTIFICATE", "AAAA"), key, "x509: malformed certificate"],
    [certificate, block("EC PRIVATE KEY", "AAAA"), "tls: failed to parse private key"],
  ])("%j %j", (certificateText, keyText, problem) =>
    expect(keyPairProblem({ certificate: certificateText, key: keyText })).toBe(problem),
  );

  test("is warned about", () => {
    const sketch = { type: "kubernetes.io/tls", stringData: { "tls.crt": certificate, "tls.key": "" } };
    expect(warningsOf(secretDefinition, sketch)).toEqual(["tls: failed to find any PEM data in key input"]);
    expect(warningsOf(secretDefinition, { stringData: sketch.stringData })).toEqual([]);
  });
});

test.each<[object, readonly string[]]>([
  [
    { type: "kubernetes.io/basic-auth" },
    ["data[username]: Required value", "data[password]: Required value"],
  ],
  [{ type: "kubernetes.io/basic-auth", stringData: { password: "" } }, []],
  [
    { type: "kubernetes.io/ssh-auth", stringData: { "ssh-privatekey": "" } },
    ["data[ssh-privatekey]: Required value"],
  ],
  [
    { type: "kubernetes.io/dockercfg", stringData: { ".dockercfg": "[]" } },
    [
      'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
  ],
  [
    { stringData: { a: "x".repeat(1024 * 1024 + 1) } },
    ["data: Too long: may not be more than 1048576 bytes"],
  ],
])("a new secret %#", (sketch, problems) =>
  expect(creationProblems(secretDefinition, { ...sketch })).toEqual(problems),
);

test("immutable secrets stay", () => {
  const old = { immutable: true, stringData: { a: "1" } };
  expect(updateProblems(secretDefinition, { old, next: { stringData: { a: "2" } } })).toEqual([
    "immutable: Forbidden: field is immutable when `immutable` is set",
    "data: Forbidden: field is immutable when `immutable` is set",
  ]);
  const metadata = { name: "x", namespace: "default", labels: { a: "b" } };
  expect(updateProblems(secretDefinition, { old, next: { ...old, metadata } })).toEqual([]);
});

describe("service accounts", () => {
  test("name secrets and nothing else", () => {
    const secrets = [{ name: "a", uid: "b", namespace: "c" }, { uid: "d" }];
    expect(created(serviceAccountDefinition, { secrets }).secrets).toEqual([{ name: "a" }, {}]);
  });
  test("are warned when they get an annotation that is on its way out", () => {
    const sketch = {
      metadata: { name: "x", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } },
    };
    expect(warningsOf(serviceAccountDefinition, sketch)).toEqual([
      "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets",
    ]);
    expect(warningsOf(serviceAccountDefinition, sketch, sketch)).toEqual([]);
  });
});
