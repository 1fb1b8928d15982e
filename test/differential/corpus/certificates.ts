import { get, patch, post, put, remove, tableOf, type Sequence } from "../step.ts";

const collection = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const one = `${collection}/asked`;
/** Made by openssl. */
const request =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkp6Q0J6Z0lCQURBeE1SVXdFd1lEVlFRS0RBeHplWE4wWlcwNmJtOWtaWE14R0RBV0JnTlZCQU1NRDNONQpjM1JsYlRwdWIyUmxPbTl1WlRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkZGM2xJYzlLQ2Z2Cm9iV1ZwN2U0V2pxdGVEVlZGK1M1akVoeWZLNE8wN1RpcXdJRlZGWlZ6UEVYRnFLWDhRWUFqWjVZVWE2RlJRWnMKUDQzK3cwUlZwZ21nT3pBNUJna3Foa2lHOXcwQkNRNHhMREFxTUNnR0ExVWRFUVFoTUIrQ0EyOXVaWWNFQ2dBQQpBWUVGWVVCaUxtT0dDMmgwZEhCek9pOHZlQzU1TUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSVFEa3N6QWxqVnJQCjZHWnJIU25rRVQrVm5sTlRNekxEUXZCcDJ4YVlraU5RNUFJZ1UwM09Wc1NMckpQUTZkKzNLYmZyUFl6azR4Q0cKZ0drTVJpWXZ3WUNIK3JnPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
const certificate =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJUVENCOUtBREFnRUNBaFE5Z0dTQnZoQm53REE4YW1GcC9rMnlyT1FLTGpBS0JnZ3Foa2pPUFFRREFqQU0KTVFvd0NBWURWUVFEREFGak1DQVhEVEkyTVRFeU5URXdNalV6TmxvWUR6SXhNall4TVRBeE1UQXlOVE0yV2pBTQpNUW93Q0FZRFZRUUREQUZqTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFNXVuVXdiNTNlTTVzCnBkTitxaS9OdllsQ2VIQTlodTRJdVp5THFUejg1UDhFelVLU2FPY0c0VWhGczJHNFpsczgrYXI1azc5TGVFMk0Kb0tsanhjWDdkS015TURBd0R3WURWUjBUQVFIL0JBVXdBd0VCL3pBZEJnTlZIUTRFRmdRVSt5TjZSOTF3SXRFcwo4M3paWFUxSWNZWUphRUF3Q2dZSUtvWkl6ajBFQXdJRFNBQXdSUUlnUDVvc01aeGpIUGFJUlNOMTlGeFp5R1l6CkVJTW0vWUVBa2F6d2xWdDJkZGdDSVFEUWJoNmFkd0NTQUlreDJVeUoyMy84WGxUWkVHbE5lZDVabHZTYlpmTksKdlE9PQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";
const pem = (label: string, text: string) =>
  btoa(`-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`);
const der = atob(request)
  .split("\n")
  .filter((line) => !line.startsWith("-"))
  .join("");
/** The request with a byte of its subject changed. */
const forged = pem("CERTIFICATE REQUEST", btoa(atob(der).replace("node:one", "node:two")));

const asking = (spec: object, name = "bad") =>
  post(collection, {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: { request, signerName: "example.com/s", usages: ["client auth"], ...spec },
  });
const reporting = (subresource: string, status: object) =>
  patch(`${one}/${subresource}`, "merge", { body: { status } });
const condition = (type: string, status = "True", more: object = {}) => ({
  type,
  status,
  reason: "R",
  lastUpdateTime: "2026-01-01T00:00:00Z",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  ...more,
});
const approved = condition("Approved");
const reported = condition("Odd", "False");

/** Requests for certificates: good and bad ones, verdicts on them and what is issued. */
export const certificateSequence: Sequence = {
  name: "requests for certificates",
  steps: [
    asking({ request: btoa("x") }),
    asking({ request: pem("CERTIFICATE", "AAAA") }),
    asking({ request: pem("CERTIFICATE REQUEST", "AAAA") }),
    asking({ request: pem("CERTIFICATE REQUEST", "MAA=") }),
    asking({ request: pem("CERTIFICATE REQUEST", "MIIBJw==") }),
    asking({ request: forged }),
    asking({ request: undefined, usages: undefined, signerName: undefined }),
    asking({ usages: ["nonsense", "client auth", "client auth"] }),
    asking({ signerName: "kubernetes.io/legacy-unknown" }),
    asking({ signerName: "x" }),
    asking({ signerName: "A b/C_d" }),
    asking({ signerName: "a/b" }),
    asking({ signerName: "a.b/c/d" }),
    asking({ username: "root", groups: ["g"] }, "asked"),
    get(one, tableOf),
    get(`${collection}?fieldSelector=spec.signerName%3Dexample.com/s`),
    patch(one, "merge", { body: { spec: { usages: ["server auth"] }, metadata: { labels: { a: "b" } } } }),
    patch(one, "merge", { body: { status: { conditions: [approved] } } }),
    reporting("status", { conditions: [approved] }),
    reporting("status", { conditions: [condition(""), condition("A", ""), reported, reported] }),
    reporting("status", { conditions: [condition("Failed", "False")] }),
    reporting("status", { certificate: btoa("x") }),
    reporting("status", { certificate: pem("KEY", "AAAA") }),
    reporting("status", { certificate: pem("CERTIFICATE", "a: b\n\nAAAA") }),
    reporting("approval", { conditions: [approved, condition("Denied")] }),
    reporting("approval", { conditions: [condition("Approved", "False")] }),
    reporting("approval", { conditions: [approved], certificate }),
    reporting("approval", { conditions: [] }),
    get(one, tableOf),
    reporting("status", { conditions: [approved, reported], certificate }),
    reporting("status", { certificate: pem("CERTIFICATE", "AAAA") }),
    reporting("status", { conditions: [{ ...approved, reason: "S" }] }),
    get(one, tableOf),
    put(one, {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name: "asked" },
      spec: { request, signerName: "example.com/t", usages: ["client auth"] },
    }),
    remove(one),
  ],
};
