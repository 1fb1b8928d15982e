import type { MetricsRegistry } from "./registry.ts";

/** Gates of upstream's v1.36 that a client can see to be on or off. */
const features = [
  ["APIResponseCompression", "BETA"],
  ["APIServerIdentity", "BETA"],
  ["AllowParsingUserUIDFromCertAuth", "BETA"],
  ["ComponentFlagz", "BETA"],
  ["ComponentStatusz", "BETA"],
  ["ConstrainedImpersonation", "BETA"],
  ["OpenAPIEnums", "BETA"],
  ["WatchList", "BETA"],
] as const;

/** Says which features are on, by upstream's names of their gates. */
export function observeFeatures(registry: MetricsRegistry, { cbor }: { readonly cbor: boolean }): void {
  registry.observed(
    {
      name: "kubernetes_feature_enabled",
      help: "Features by name and stage: 1 when it is on.",
      stability: "BETA",
      labels: ["name", "stage"],
    },
    () => [
      ...features.map(([name, stage]) => [1, name, stage] as const),
      [cbor ? 1 : 0, "CBORServingAndStorage", "ALPHA"],
    ],
  );
}
