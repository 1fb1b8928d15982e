import { ClusterTrustBundle } from "../../api/types/certificates-v1beta1.ts";
import { ApiError } from "../../apimachinery/index.ts";
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
      const name = await bundleName(trustBundle);
      const present = bundles.get({ name });
      if (!present) {
        await ignoring("AlreadyExists", () =>
          client.create<ClusterTrustBundle>(ClusterTrustBundle, {
            metadata: { name },
            spec: { signerName, trustBundle },
          }),
        );
      } else if (present.spec.trustBundle !== trustBundle) {
        await client.update(ClusterTrustBundle, { ...present, spec: { ...present.spec, trustBundle } });
      }
      for (const { metadata, spec } of bundles.list()) {
        if (spec.signerName !== signerName || metadata.name === name) continue;
        await ignoring("NotFound", () => client.delete(ClusterTrustBundle, { name: metadata.name }));
      }
      return settled;
    },
  };
}

async function ignoring(reason: "AlreadyExists" | "NotFound", action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!ApiError.is(error, reason)) throw error;
  }
}

/** `kubernetes.io:kube-apiserver-serving:` and a part of the bundle's SHA-256. */
async function bundleName(trustBundle: string): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(trustBundle));
  const hash = Array.from(new Uint8Array(digest).subarray(0, hashBytes), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  return `${signerName.replaceAll("/", ":")}:${hash}`;
}
