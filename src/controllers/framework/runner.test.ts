import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import type { Logger } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Wake } from "./controller.ts";
import { runController } from "./runner.ts";

const pods = { group: "", resource: "pods" };
const terminating = new ApiError({
  message: "unable to create new content in namespace n because it is being terminated",
  reason: "Forbidden",
  code: 403,
  details: { causes: [{ reason: "NamespaceTerminating", message: "namespace n is being terminated" }] },
});

test.each([
  ["a conflict", ApiError.conflict(pods, "p", "changed"), "debug"],
  ["an object that is gone", ApiError.notFound(pods, "p"), "debug"],
  ["a namespace on its way", terminating, "debug"],
  ["a refusal", ApiError.forbidden(pods, "p", "no"), "warn"],
  ["a fault of our own", new Error("oops"), "error"],
])("%s is logged for those it concerns", async (_, error, level) => {
  const levels: string[] = [];
  const logger: Logger = {
    debug: () => void levels.push("debug"),
    info: () => void levels.push("info"),
    warn: () => void levels.push("warn"),
    error: () => void levels.push("error"),
    named: () => logger,
  };
  const stopping = new AbortController();
  const controller = {
    name: "test",
    watches: [
      {
        whenSynced: async () => undefined,
        connect: (wake: Wake) => {
          wake({ name: "p" });
          return () => undefined;
        },
      },
    ],
    reconcile: () => Promise.reject(error),
  };
  const clock = new VirtualClock();
  const run = runController(controller, { clock, logger }, stopping.signal);
  await clock.advance(1);
  stopping.abort();
  await run;
  expect(levels).toEqual([level]);
});
