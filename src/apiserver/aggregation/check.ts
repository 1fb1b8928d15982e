import type { Agent } from "node:https";
import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { hostAndPort } from "../connect/kubelets.ts";
import { askBackend } from "./backend.ts";
import { identityHeaders } from "./identity-headers.ts";
import type { RemoteApi } from "./registered-apis.ts";
import { readyAddresses, resolveService, slicesOf } from "../resolve-service.ts";

/** What a check of an extension server found. */
export interface Finding {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

const checkTimeout: Milliseconds = 5_000;
/** One server behind the service that answers is enough. */
const attempts = 5;
const checker = { name: "system:kube-aggregator", groups: ["system:masters"] };

const missing = (reason: string, message: string): Finding => ({ status: "False", reason, message });

/** What the objects alone say against a service; undefined when nothing does. */
export function findMissing(reader: ObjectReader, { service: wanted }: RemoteApi): Finding | undefined {
  const { namespace, name, port } = wanted;
  const at = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = reader.get(Service, { namespace, name });
  if (!service) return missing("ServiceNotFound", `${at} is not present`);
  if (service.spec.type !== "ClusterIP") return undefined;
  const found = service.spec.ports?.find((one) => one.port === port);
  if (!found) return missing("ServicePortError", `${at} is not listening on port ${port}`);
  const slices = slicesOf(reader, wanted);
  if (slices.length === 0) {
    return missing("EndpointsNotFound", `cannot find endpointslices for ${at}`);
  }
  const { name: portName = "" } = found;
  if (readyAddresses(slices, portName).length > 0) return undefined;
  const why = `have no addresses with port name ${JSON.stringify(portName)}`;
  return missing("MissingEndpoints", `endpointslices for ${at} ${why}`);
}

interface CheckParts {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
  /** Trusts any certificate: what is found out is only whether the server answers. */
  readonly agent: Agent;
}

/** Asks the extension server for the resources of its group version. */
export async function checkDiscovery(
  parts: CheckParts,
  { api, signal }: { readonly api: RemoteApi; readonly signal: AbortSignal },
): Promise<Finding> {
  const tries = Array.from({ length: attempts }, () => attempt(parts, { api, signal }));
  const found = await Promise.any(tries).catch((error: AggregateError) => error.errors.at(-1) as Error);
  if (found instanceof Error) return missing("FailedDiscoveryCheck", found.message);
  return { status: "True", reason: "Passed", message: "all checks passed" };
}

async function attempt(
  { clock, agent, ...parts }: CheckParts,
  { api, signal }: { readonly api: RemoteApi; readonly signal: AbortSignal },
): Promise<true> {
  const address = resolveService(parts, api.service);
  const path = api.group === "" ? `/api/${api.version}` : `/apis/${api.group}/${api.version}`;
  const url = `https://${hostAndPort(address)}${path}`;
  const controller = new AbortController();
  let late = false;
  const timer = clock.after(checkTimeout, () => {
    late = true;
    controller.abort();
  });
  const onAbort = () => controller.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const answer = await askBackend(address, {
      agent,
      method: "GET",
      path,
      headers: identityHeaders(checker),
      signal: controller.signal,
    });
    answer.destroy();
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode < 300) return true;
    throw new Error(`bad status from ${url}: ${statusCode}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const told = late
      ? "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"
      : why;
    const reason = why.startsWith("bad status") ? why : `Get ${JSON.stringify(url)}: ${told}`;
    throw new Error(`failing or missing response from ${url}: ${reason}`, { cause: error });
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}
