import type { Clock } from "../base/index.ts";
import { serveApi, type ServedApi } from "../apiserver/http/index.ts";
import { renderKubeconfig, type ControlPlane } from "../control-plane/index.ts";
import { createCertificateAuthority, issueCertificate } from "../pki/index.ts";

const host = "127.0.0.1";

/** The HTTPS side of a test cluster: certificates and port are made when they are first asked for. */
export class LazyFront {
  private readonly controlPlane: ControlPlane;
  private readonly clock: Clock;
  private opened: Promise<{ readonly api: ServedApi; readonly kubeconfig: string }> | undefined;

  constructor(controlPlane: ControlPlane, options: { readonly clock: Clock }) {
    this.controlPlane = controlPlane;
    this.clock = options.clock;
  }

  async kubeconfig(): Promise<string> {
    this.opened ??= this.open();
    return (await this.opened).kubeconfig;
  }

  async close(): Promise<void> {
    if (this.opened !== undefined) await (await this.opened).api.close();
  }

  private async open() {
    // Real time: TLS libraries on the other side know no other.
    const now = Math.max(this.clock.now(), Date.now());
    const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
    const [server, admin] = await Promise.all([
      issueCertificate({
        ca,
        commonName: "kube-apiserver",
        usages: ["server"],
        ipAddresses: [host],
        dnsNames: ["localhost"],
        now,
      }),
      issueCertificate({
        ca,
        commonName: "kubernetes-admin",
        organizations: ["system:masters"],
        usages: ["client"],
        now,
      }),
    ]);
    const { server: apiServer, authenticator, aggregation } = this.controlPlane;
    const tls = { certificate: server.certificate, key: server.key, clientAuthority: ca.certificate };
    const api = await serveApi(apiServer, {
      host,
      port: 0,
      tls,
      authenticator,
      delegates: [aggregation.delegate],
      remote: aggregation.remote,
    });
    const kubeconfig = renderKubeconfig({
      name: "kubets",
      server: `https://${host}:${api.address.port}`,
      caCertificate: ca.certificate,
      user: "kubernetes-admin",
      certificate: admin.certificate,
      key: admin.key,
    });
    return { api, kubeconfig };
  }
}
