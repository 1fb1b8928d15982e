import { expect, test } from "vitest";
import { VirtualClock, seededRandom } from "../../base/index.ts";
import type { Container } from "../../api/types/core-v1.ts";
import type { CriClient } from "../../cri/index.ts";
import { Prober } from "./prober.ts";

const second = 1000;

/** A prober of one container whose commands exit with the code that `exitCodes` has for them. */
function probing(own: Partial<Container>, exitCodes: Record<string, number>) {
  const clock = new VirtualClock(0);
  const log: string[] = [];
  const cri = {
    execSync: async ({ cmd }: { cmd?: readonly string[] }) => ({
      stdout: Buffer.from("out"),
      stderr: new Uint8Array(0),
      exitCode: exitCodes[cmd?.[0] ?? ""] ?? 0,
    }),
  } as unknown as CriClient;
  const prober = new Prober({
    clock,
    random: seededRandom(1),
    target: (probed) => ({ ...probed, cri, userAgent: "kube-probe/1.36" }),
    changed: () => log.push("changed"),
    unhealthy: (_, { kind, output }) => log.push(`${kind}: ${output}`),
  });
  prober.watch({
    container: { name: "c", resources: {}, ...own },
    containerId: "id",
    startedAt: 0,
    podIP: "",
  });
  return { clock, log, verdict: () => prober.verdict("id"), prober, exitCodes };
}

const probe = (command: string) => ({ exec: { command: [command] }, periodSeconds: 1, failureThreshold: 2 });

test("without probes a container is started and ready", () => {
  expect(probing({}, {}).verdict()).toEqual({ started: true, ready: true, failed: undefined });
});

test("readiness follows its probe, with thresholds", async () => {
  const { clock, log, verdict, exitCodes, prober } = probing(
    { readinessProbe: { ...probe("r"), initialDelaySeconds: 5 } },
    { r: 0 },
  );
  await clock.advance(4 * second);
  expect(verdict()?.ready).toBe(false);
  await clock.advance(1.5 * second);
  expect(verdict()?.ready).toBe(true);
  exitCodes["r"] = 1;
  await clock.advance(second);
  expect(verdict()?.ready).toBe(true);
  await clock.advance(second);
  expect(verdict()?.ready).toBe(false);
  expect(log).toEqual(["changed", "readiness: out", "readiness: out", "changed"]);
  prober.stop();
});

test("liveness waits for the startup probe and then kills", async () => {
  const { clock, verdict, exitCodes, prober } = probing(
    { startupProbe: { ...probe("s"), failureThreshold: 10 }, livenessProbe: probe("l") },
    { s: 1, l: 1 },
  );
  await clock.advance(3.5 * second);
  expect(verdict()).toEqual({ started: false, ready: false, failed: undefined });
  exitCodes["s"] = 0;
  await clock.advance(second);
  expect(verdict()).toMatchObject({ started: true, ready: true });
  await clock.advance(2 * second);
  expect(verdict()?.failed).toBe("liveness");
  prober.stop();
});

test("a startup probe that fails too often kills", async () => {
  const { clock, verdict, prober } = probing({ startupProbe: probe("s") }, { s: 1 });
  await clock.advance(2 * second);
  expect(verdict()?.failed).toBe("startup");
  prober.stop();
});
