import { expect, test } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import { AdmissionChain } from "./chain.ts";
import type { AdmissionRequest } from "./plugin.ts";

const resource = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };

test("an observer hears how plugins and whole steps went", async () => {
  const chain = new AdmissionChain([
    { name: "Sync", operations: ["CREATE"], admit: ({ object }) => object },
    {
      name: "Slow",
      operations: ["CREATE"],
      validate: async () => {
        throw ApiError.badRequest("no");
      },
    },
  ]);
  const heard: string[] = [];
  let now = 0;
  chain.observe({
    now: () => (now += 1),
    of:
      ({ name = "all", operation, type }) =>
      (rejected, seconds) =>
        void heard.push(`${name} ${operation} ${type} ${rejected} ${seconds}`),
  });
  const { admitting, validating, whole } = chain.stepsFor("CREATE", resource);
  const object = { metadata: { name: "p" } };
  const request = { operation: "CREATE", resource, object } as unknown as AdmissionRequest & {
    object: typeof object;
  };
  // What answers at once still does.
  expect(admitting[0]?.admit(request)).toBe(object);
  await expect(whole?.validate(async () => validating[0]?.validate(request))).rejects.toThrow("no");
  expect(heard).toEqual([
    "Sync CREATE admit false 1",
    "Slow CREATE validate true 1",
    "all CREATE validate true 3",
  ]);
});
