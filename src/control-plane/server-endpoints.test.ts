import { expect, onTestFinished, test } from "vitest";
import { silentLogger, VirtualClock } from "../base/index.ts";
import { Endpoints } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import { administrator, testOptions } from "./control-plane-suite.ts";
import { apiServerService, createControlPlane, runServerEndpoints } from "./index.ts";

test("the service of the API servers has the addresses of those that live", async () => {
  const clock = new VirtualClock();
  const plane = await createControlPlane({ ...(await testOptions()), clock });
  onTestFinished(() => plane.close());
  const client = plane.clientFor(administrator);
  const { store } = plane.server.core;
  const key = { namespace: "default", name: "kubernetes" };
  const shown = async () => {
    const [endpoints, slice] = [await client.get(Endpoints, key), await client.get(EndpointSlice, key)];
    const addresses = endpoints.subsets?.[0]?.addresses?.map(({ ip }) => ip);
    expect(slice.endpoints?.flatMap((endpoint) => endpoint.addresses)).toEqual(addresses);
    return addresses;
  };
  const start = (address: string) => {
    const stop = new AbortController();
    const service = apiServerService({ clusterIP: "10.96.0.1", address, port: 6443 });
    const done = runServerEndpoints({ store, client, service, clock, logger: silentLogger }, stop.signal);
    return async () => {
      stop.abort();
      await done;
    };
  };
  const stopFirst = start("192.0.2.2");
  await clock.advance(100);
  expect(await shown()).toEqual(["192.0.2.2"]);
  const stopSecond = start("192.0.2.1");
  await clock.advance(11_000);
  expect(await shown()).toEqual(["192.0.2.1", "192.0.2.2"]);
  await stopFirst();
  expect(await shown()).toEqual(["192.0.2.1"]);
  await stopSecond();
  expect(await shown()).toEqual(["192.0.2.1"]);
});
