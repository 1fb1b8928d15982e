import { expect, test } from "vitest";
import { freeSubnets } from "./subnets.ts";

test.each([
  { taken: [], pods: "10.244.0.0/16", services: "10.96.0.0/16" },
  { taken: ["192.168.1.2", "10.244.0.1"], pods: "10.150.0.0/16", services: "10.97.0.0/16" },
  { taken: ["10.244.0.1", "10.150.0.1", "10.98.7.7"], pods: "10.152.0.0/16", services: "10.99.0.0/16" },
])("with $taken taken", ({ taken, pods, services }) => {
  expect(freeSubnets(taken)).toEqual({ pods, services });
});
