import { ignoreMissing } from "../../api/index.ts";
import { createHash } from "node:crypto";
import { createUnlessPresent } from "../../api/index.ts";
import { ClusterTrustBundle } from "../../api/types/certificates-v1beta1.ts";
import type { SharedInformer } from "../../client/index.ts";
import { settled, watch } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const signerName = "kubernetes.io/kube-apiserver-serving";
const hashBytes = 12;

/** Publishes whom clients trust the API server by as a bundle of its signer, where bundles are served; earlier ones go. */
export function trustBundlePublisher(context: ControllerContext): Controller {
  const { client, informers, settings } = context;
  const { group, version, kind } = ClusterTrustBundle;
  const isServed = settings.catalog
    .list()
    .some(
      ({ resource }) => resource.kind === kind && resource.group === group && resource.version === version,
    );
  if (!isServed || settings.rootCertificateAuthority === "") {
    return { name: "clustertrustbundle-publisher", watches: [], reconcile: async () => settled };
  }
  const bundles: SharedInformer<ClusterTrustBundle> = informers.informer(ClusterTrustBundle);
  const trustBundle = settings.rootCertificateAuthority;
  const name = bundleName(trustBundle);
  return {
    name: "clustertrustbundle-publisher",
    workers: 1,
    watches: [
      watch(bundles, ({ object }, wake) => {
        if (object.spec.signerName === signerName) wake({ name: signerName });
      }),
      {
        whenSynced: (signal) => bundles.whenSynced(signal),
        connect(wake) {
          wake({ name: signerName });
          return () => undefined;
        },
      },
    ],
    async reconcile() {
      const present = bundles.get({ name });
      if (!present) {
        await createUnlessPresent<ClusterTrustBundle>(client, ClusterTrustBundle, {
          metadata: { name },
          spec: { signerName, trustBundle },
        });
      } else if (present.spec.trustBundle !== trustBundle) {
        await client.update(ClusterTrustBundle, { ...present, spec: { ...present.spec, trustBundle } });
      }
      for (const { metadata, spec } of bundles.list()) {
        if (spec.signerName !== signerName || metadata.name === name) continue;
        await ignoreMissing(client.delete(ClusterTrustBundle, { name: metadata.name }));
      }
      return settled;
    },
  };
}

/** `kubernetes.io:kube-apiserver-serving:` and a part of the bundle's SHA-256. */
function bundleName(trustBundle: string): string {
  const hash = createHash("sha256").update(trustBundle).digest().subarray(0, hashBytes).toString("hex");
  return `${signerName.replaceAll("/", ":")}:${hash}`;
}
