import { expect, test } from "vitest";
import { silentLogger, systemRandom, VirtualClock } from "../base/index.ts";
import { ServiceCIDR } from "../api/types/networking-v1.ts";
import { generateServiceAccountKey } from "../apiserver/authentication/index.ts";
import { createMemoryStore } from "../store/index.ts";
import { createControlPlane } from "./index.ts";
import { publishServiceRange } from "./service-range.ts";

test("a cluster shows its range of service addresses, also after another start", async () => {
  const clock = new VirtualClock();
  const plane = await createControlPlane({
    store: createMemoryStore({ clock }),
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/16",
  });
  const client = plane.clientFor({ name: "admin", groups: ["system:masters"] });
  const shown = await client.get(ServiceCIDR, { name: "kubernetes" });
  expect(shown.spec?.cidrs).toEqual(["10.96.0.0/16"]);
  expect(shown.status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
  await publishServiceRange(client, { ranges: ["10.96.0.0/16"], clock });
  const again = await client.get(ServiceCIDR, { name: "kubernetes" });
  expect(again.metadata.resourceVersion).toBe(shown.metadata.resourceVersion);
  await plane.close();
});
