import type { Service } from "../../api/types/core-v1.ts";

const variableName = (name: string) => name.toUpperCase().replaceAll("-", "_");

/** The variables that tell a container where services are: those of its namespace, and `kubernetes` of the default one. */
export function serviceVariables(
  services: readonly Service[],
  options: { readonly namespace: string; readonly enableServiceLinks: boolean },
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) {
    const { namespace, name } = service.metadata;
    const isMaster = namespace === "default" && name === "kubernetes";
    const linked = namespace === options.namespace && options.enableServiceLinks;
    if (isMaster || linked) addService(variables, service);
  }
  return variables;
}

function addService(variables: Map<string, string>, service: Service): void {
  const ip = service.spec.clusterIP;
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  if (ip === undefined || ip === "" || ip === "None" || first === undefined) return;
  const prefix = variableName(service.metadata.name);
  variables.set(`${prefix}_SERVICE_HOST`, ip);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of ports) {
    if (name) variables.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
  }
  const host = ip.includes(":") ? `[${ip}]` : ip;
  ports.forEach(({ port, protocol = "TCP" }, index) => {
    const kind = protocol.toLowerCase();
    const url = `${kind}://${host}:${port}`;
    const link = `${prefix}_PORT_${port}_${protocol}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(link, url);
    variables.set(`${link}_PROTO`, kind);
    variables.set(`${link}_PORT`, String(port));
    variables.set(`${link}_ADDR`, ip);
  });
}
