/** A kubeconfig with one cluster and one user, who shows a client certificate. All inputs but the names are PEM. */
export function renderKubeconfig(options: {
  readonly name: string;
  readonly server: string;
  readonly caCertificate: string;
  readonly user: string;
  readonly certificate: string;
  readonly key: string;
}): string {
  const { name, server, user } = options;
  const data = (pem: string) => Buffer.from(pem).toString("base64");
  return `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    server: ${server}
    certificate-authority-data: ${data(options.caCertificate)}
users:
- name: ${user}
  user:
    client-certificate-data: ${data(options.certificate)}
    client-key-data: ${data(options.key)}
contexts:
- name: ${user}@${name}
  context:
    cluster: ${name}
    user: ${user}
current-context: ${user}@${name}
preferences: {}
`;
}
