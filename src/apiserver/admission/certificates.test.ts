import { expect, test } from "vitest";
import type { Resource } from "../../apimachinery/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { ClusterTrustBundle } from "../../api/types/certificates-v1beta1.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { object, setUpAdmission } from "./admission-suite.ts";
import type { Json } from "./admission-suite.ts";

/** Made by openssl for /O=system:masters/CN=ann. */
const masters =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIak1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVF3d0NnWURWUVFEREFOaApibTR3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJSZDVTSFBTZ243NkcxbGFlM3VGbzZyWGcxClZSZmt1WXhJY255dUR0TzA0cXNDQlZSV1ZjenhGeGFpbC9FR0FJMmVXRkd1aFVVR2JEK04vc05FVmFZSm9BQXcKQ2dZSUtvWkl6ajBFQXdJRFNRQXdSZ0loQU8wSW0zQ0k2VTYvMUR5UmZyTkxTSVhSUzNLR2xqV1F6R0xXd3hlMwoyQ2NkQWlFQThqKzhFTmlvMzF4bVdEWC9wK21ZK0FBNVMyejdxVmgwSHBScjdBckdCcDg9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

const client = "kubernetes.io/kube-apiserver-client";
const asked = (spec: Json = {}, status: Json = {}) =>
  object<CertificateSigningRequest>("x", { spec: { signerName: "example.com/a", ...spec }, status });
const bundle = (spec: Json, metadata: Json = {}) => object<ClusterTrustBundle>("b", { spec }, metadata);
const update = (subresource: string, next: object, old: object) => ({
  operation: "UPDATE",
  subresource,
  object: next,
  old,
});
const issued = { certificate: "Yw==" };

const cases: readonly (readonly [string, Resource<never> | Resource, Json, string, string | undefined])[] = [
  [
    "approval by anyone",
    CertificateSigningRequest,
    update("approval", asked(), asked()),
    "",
    'certificatesigningrequests.certificates.k8s.io "x" is forbidden: user not permitted to approve requests with signerName "example.com/a"',
  ],
  [
    "approval by whom the signer trusts",
    CertificateSigningRequest,
    update("approval", asked(), asked()),
    "approve example.com/a",
    undefined,
  ],
  [
    "approval by whom the domain trusts",
    CertificateSigningRequest,
    update("approval", asked(), asked()),
    "approve example.com/*",
    undefined,
  ],
  [
    "issuing by anyone",
    CertificateSigningRequest,
    update("status", asked({}, issued), asked()),
    "approve example.com/a",
    'user not permitted to sign requests with signerName "example.com/a"',
  ],
  [
    "issuing by the signer",
    CertificateSigningRequest,
    update("status", asked({}, issued), asked()),
    "sign example.com/a",
    undefined,
  ],
  [
    "a status that issues nothing",
    CertificateSigningRequest,
    update("status", asked({}, issued), asked({}, issued)),
    "",
    undefined,
  ],
  [
    "attesting by anyone",
    ClusterTrustBundle,
    { object: bundle({ signerName: "example.com/a" }) },
    "sign example.com/a",
    'user not permitted to attest for signerName "example.com/a"',
  ],
  [
    "attesting by the signer",
    ClusterTrustBundle,
    { object: bundle({ signerName: "example.com/a" }) },
    "attest example.com/a",
    undefined,
  ],
  ["a bundle of nobody's", ClusterTrustBundle, { object: bundle({ trustBundle: "x" }) }, "", undefined],
  [
    "a finalizer of a bundle",
    ClusterTrustBundle,
    update(
      "",
      bundle({ signerName: "example.com/a" }, { finalizers: ["f"] }),
      bundle({ signerName: "example.com/a" }),
    ),
    "",
    undefined,
  ],
  [
    "becoming an administrator",
    CertificateSigningRequest,
    { object: asked({ signerName: client, request: masters }) },
    "",
    `use of ${client} signer with system:masters group is not allowed`,
  ],
  [
    "asking another signer",
    CertificateSigningRequest,
    { object: asked({ request: masters }) },
    "",
    undefined,
  ],
  [
    "asking in no words",
    CertificateSigningRequest,
    { object: asked({ signerName: client, request: "" }) },
    "",
    "failed to parse CSR: PEM block type must be CERTIFICATE REQUEST",
  ],
];

test.each(cases)("%s", async (_, resource, request, may, problem) => {
  const authorizer: Authorizer = {
    authorize: (attributes) =>
      attributes.type === "resource" && `${attributes.verb} ${attributes.name}` === may
        ? { type: "allow", reason: "" }
        : { type: "noOpinion", reason: "" },
  };
  const context = setUpAdmission({ authorizer });
  const result = context.run(resource, request);
  if (problem === undefined) await result;
  else await expect(result).rejects.toThrow(problem);
});
