import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { column, nameColumn } from "../common/columns.ts";
import { validateSignerName } from "../common/signers.ts";
import { defineResource } from "../definition.ts";
import { ClusterTrustBundle as AlphaTrustBundle } from "../types/certificates-v1alpha1.ts";
import { ClusterTrustBundle } from "../types/certificates-v1beta1.ts";
import type { PemBlock } from "./pem.ts";
import { pemBlocks } from "./pem.ts";
import { parseCertificate } from "./x509.ts";

type AnyBundle = ClusterTrustBundle | AlphaTrustBundle;

const longestBundle = 1024 * 1024;
const specPath = FieldPath.root("spec");

const rules = {
  requiresVersion: true,
  nameRule: "none",
  repeatedMetadataChecks: ["whole", "change"],
  validateCreate: (bundle: AnyBundle) => validate(bundle, { parses: true }),
  validateUpdate: (bundle: AnyBundle, old: AnyBundle) => [
    ...validate(bundle, { parses: bundle.spec.trustBundle !== old.spec.trustBundle }),
    ...immutable(specPath.child("signerName"), bundle.spec.signerName ?? "", old.spec.signerName ?? ""),
  ],
  columns: [
    nameColumn,
    column<AnyBundle>("SignerName", "Whose certificates they are", { value: signerName }),
  ],
  selectableFields: { "spec.signerName": signerName },
} as const;

/** The rules of bundles of trusted certificates. */
export const clusterTrustBundleDefinition = defineResource<ClusterTrustBundle>({
  resource: ClusterTrustBundle,
  ...rules,
});

/** The rules of bundles of trusted certificates, in the alpha version. */
export const alphaClusterTrustBundleDefinition = defineResource<AlphaTrustBundle>({
  resource: AlphaTrustBundle,
  ...rules,
});

function signerName({ spec }: AnyBundle): string {
  return spec.signerName ?? "";
}

/** Checks a bundle; certificates that are there already are not parsed again. */
function validate(bundle: AnyBundle, { parses }: { readonly parses: boolean }): FieldError[] {
  const signer = signerName(bundle);
  const { name, generateName = "" } = bundle.metadata;
  const metadata = FieldPath.root("metadata");
  return [
    ...(generateName === ""
      ? []
      : invalidFor(metadata.child("generateName"), generateName, nameProblems(signer, masked(generateName)))),
    ...(name ? invalidFor(metadata.child("name"), name, nameProblems(signer, name)) : []),
    ...(signer === "" ? [] : validateSignerName(signer, specPath.child("signerName"))),
    ...(parses ? validateCertificates(bundle.spec.trustBundle ?? "") : []),
  ];
}

/** The base of a generated name with what may follow it: it may end in a dash. */
const masked = (base: string) => (base.endsWith("-") && base.length > 1 ? `${base.slice(0, -1)}a` : base);

function nameProblems(signer: string, name: string): readonly string[] {
  if (signer === "") {
    if (name.includes(":")) return ['ClusterTrustBundle without signer name must not have ":" in its name'];
    return isDNS1123Subdomain(name);
  }
  const prefix = `${signer.replaceAll("/", ":")}:`;
  if (name.startsWith(prefix)) return isDNS1123Subdomain(name.slice(prefix.length));
  return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`];
}

function validateCertificates(bundle: string): FieldError[] {
  const path = specPath.child("trustBundle");
  if (bundle.length > longestBundle) return [fieldErrors.tooLong(path, longestBundle)];
  // What is in the bundle is not shown.
  const told = (problems: readonly string[]) =>
    problems.map((problem) => fieldErrors.invalid(path, "<value omitted>", problem));
  const blocks = pemBlocks(bundle);
  const problems = blocks.flatMap((block, index) => {
    const problem = blockProblem(block);
    return problem === undefined ? [] : [`entry ${index} ${problem}`];
  });
  if (problems.length > 0) return told(problems);
  if (blocks.length === 0) return told(["at least one trust anchor must be provided"]);
  const places = new Map<string, number[]>();
  for (const [index, { bytes }] of blocks.entries()) {
    const key = String(bytes);
    places.set(key, [...(places.get(key) ?? []), index]);
  }
  return told(
    [...places.values()]
      .filter((indices) => indices.length > 1)
      .map((indices) => `duplicate trust anchor (indices [${indices.join(" ")}])`),
  );
}

function blockProblem({ type, hasHeaders, bytes }: PemBlock): string | undefined {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`;
  if (hasHeaders) return "has PEM block headers";
  const certificate = parseCertificate(bytes);
  if (certificate === undefined) return "does not parse as X.509";
  return certificate.isAuthority ? undefined : "does not have the CA bit set";
}
