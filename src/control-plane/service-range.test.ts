import { expect, test } from "vitest";
import { ServiceCIDR } from "../api/types/networking-v1.ts";
import { administrator, testOptions } from "./control-plane-suite.ts";
import { createControlPlane } from "./index.ts";
import { publishServiceRange } from "./service-range.ts";

test("a cluster shows its range of service addresses, also after another start", async () => {
  const options = await testOptions();
  const plane = await createControlPlane(options);
  const client = plane.clientFor(administrator);
  const shown = await client.get(ServiceCIDR, { name: "kubernetes" });
  expect(shown.spec?.cidrs).toEqual(["10.96.0.0/16"]);
  expect(shown.status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
  await publishServiceRange(client, { ranges: ["10.96.0.0/16"], clock: options.clock });
  const again = await client.get(ServiceCIDR, { name: "kubernetes" });
  expect(again.metadata.resourceVersion).toBe(shown.metadata.resourceVersion);
  await plane.close();
});
