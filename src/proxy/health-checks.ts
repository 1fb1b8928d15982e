import { createServer, type Server } from "node:http";
import type { Logger } from "../base/index.ts";
import type { HealthCheck } from "./elements.ts";
import type { HealthChecks } from "./proxy.ts";

interface Listening {
  check: HealthCheck;
  readonly server: Server;
}

/** Answers on each service's health check port, as kube-proxy does: 200 while the node has endpoints, else 503. */
export function httpHealthChecks({ logger }: { readonly logger: Logger }): HealthChecks {
  const listening = new Map<string, Listening>();
  const stop = (service: string): Promise<void> => {
    const server = listening.get(service)?.server;
    listening.delete(service);
    if (!server) return Promise.resolve();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  const closing = new Set<Promise<void>>();
  const stopLater = (service: string): void => {
    const stopped = stop(service).finally(() => closing.delete(stopped));
    closing.add(stopped);
  };
  return {
    set(service, check) {
      const before = listening.get(service);
      if (before && before.check.port === check?.port) {
        before.check = check;
        return;
      }
      stopLater(service);
      if (check) listening.set(service, serve(check, { service, logger }));
    },
    async close() {
      for (const service of listening.keys()) stopLater(service);
      await Promise.all(closing);
    },
  };
}

function serve(check: HealthCheck, { service, logger }: { service: string; logger: Logger }): Listening {
  const server = createServer((_, response) => {
    const { namespace, name, localEndpoints } = entry.check;
    const body = `${JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true })}\n`;
    response.writeHead(localEndpoints > 0 ? 200 : 503, {
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "x-load-balancing-endpoint-weight": String(localEndpoints),
    });
    response.end(body);
  });
  const entry: Listening = { check, server };
  // A port that someone else has must not keep the node's other services from working.
  server.on("error", (error) => logger.error("health check port cannot be served", { service, error }));
  server.listen(check.port);
  return entry;
}
