import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { silentLogger } from "../base/index.ts";
import { httpHealthChecks } from "./health-checks.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("answers whether the node has endpoints, and stops with the service", async () => {
  const checks = httpHealthChecks({ logger: silentLogger });
  const port = await freePort();
  const check = { namespace: "n", name: "web", port };
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    return [answer.status, answer.headers.get("x-load-balancing-endpoint-weight"), await answer.json()];
  };
  const says = (localEndpoints: number) => ({
    service: { namespace: "n", name: "web" },
    localEndpoints,
    serviceProxyHealthy: true,
  });
  checks.set("n/web", { ...check, localEndpoints: 2 });
  expect(await ask()).toEqual([200, "2", says(2)]);
  checks.set("n/web", { ...check, localEndpoints: 0 });
  expect(await ask()).toEqual([503, "0", says(0)]);
  checks.set("n/web", undefined);
  await checks.close();
  await expect(ask()).rejects.toThrow();
});
