import { expect, test } from "vitest";
import { planResize } from "./resize.ts";

const resources = (cpu: string, memory = "64Mi") => ({ limits: { cpu, memory }, requests: { cpu, memory } });
const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }] as const;

test.each([
  [resources("1000m"), "none"],
  [resources("2"), "update"],
  [resources("1", "128Mi"), "restart"],
  [{ limits: { cpu: "1", memory: "64Mi" }, requests: { memory: "64Mi" } }, "update"],
] as const)("%o asks for %s", (wanted, expected) => {
  expect(planResize({ name: "c", resources: wanted, resizePolicy }, resources("1"))).toBe(expected);
});
