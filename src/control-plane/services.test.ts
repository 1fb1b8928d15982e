import { expect, test } from "vitest";
import { Service } from "../api/types/core-v1.ts";
import { IPAddress, ServiceCIDR } from "../api/types/networking-v1.ts";
import { administrator, testOptions } from "./control-plane-suite.ts";
import { createControlPlane } from "./index.ts";

test("a store that knows no IPAddress objects gets them, and a second family, at the next start", async () => {
  const options = await testOptions();
  const first = await createControlPlane(options);
  const before = first.clientFor(administrator);
  const web = {
    metadata: { namespace: "default", name: "web" },
    spec: { clusterIP: "10.96.0.7", selector: { app: "web" }, ports: [{ port: 80 }] },
  };
  await before.create(Service, web);
  await before.delete(IPAddress, { name: "10.96.0.7" });
  await first.close();
  const second = await createControlPlane({ ...options, secondaryServiceCIDR: "fd00::/112" });
  const after = second.clientFor(administrator);
  const address = await after.get(IPAddress, { name: "10.96.0.7" });
  expect(address.spec?.parentRef).toMatchObject({ namespace: "default", name: "web" });
  const range = await after.get(ServiceCIDR, { name: "kubernetes" });
  expect(range.spec?.cidrs).toEqual(["10.96.0.0/16", "fd00::/112"]);
  const { items } = await after.list(Service);
  const service = items.find(({ metadata }) => metadata.name === "web");
  if (!service) throw new Error("no service");
  const both = await after.update(Service, {
    ...service,
    spec: { ...service.spec, ipFamilyPolicy: "PreferDualStack" },
  });
  expect(both.spec.clusterIPs).toEqual(["10.96.0.7", expect.stringMatching(/^fd00::/)]);
  await second.close();
});
