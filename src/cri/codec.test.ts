import { expect, test } from "vitest";
import { decode, encode } from "./codec.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("bytes are those of protobuf", () => {
  expect(hex(encode("VersionRequest", { version: "v1" }))).toBe("0a027631");
  expect(hex(encode("LinuxContainerResources", { cpuShares: 300, oomScoreAdj: -1 }))).toBe(
    "18ac0228ffffffffffffffffff01",
  );
  expect(hex(encode("PortForwardRequest", { podSandboxId: "a", port: [1, 300] }))).toBe("0a0161120301ac02");
  expect(hex(encode("PodSandboxFilter", { labelSelector: { a: "b" } }))).toBe(
    "1a060a016112016 2".replace(" ", ""),
  );
});

test("a message comes back as it went", () => {
  const config = {
    metadata: { name: "c", attempt: 3 },
    image: { image: "busybox", annotations: {} },
    args: ["", "x"],
    envs: [{ key: "A", value: new TextEncoder().encode("ü") }],
    labels: { one: "1", empty: "" },
    linux: {
      resources: { cpuQuota: -1, memoryLimitInBytes: 2 ** 40 },
      securityContext: { runAsUser: { value: 0 } },
    },
    tty: true,
  };
  expect(decode("ContainerConfig", encode("ContainerConfig", config))).toMatchObject(config);
});

test("zero values are filled in and absent messages stay absent", () => {
  const status = decode("ContainerStatus", new Uint8Array(0));
  expect([status.id, status.exitCode, status.mounts, status.labels, status.image]).toEqual([
    "",
    0,
    [],
    {},
    undefined,
  ]);
});

test("unknown fields are skipped and torn messages refused", () => {
  const unknown = Uint8Array.from([0x0a, 2, 0x76, 0x31, 0xfa, 0x3f, 1, 9, 0xf8, 0x3f, 5]);
  expect(decode("VersionRequest", unknown)).toEqual({ version: "v1" });
  expect(() => decode("VersionRequest", Uint8Array.from([0x0a, 9, 0x76]))).toThrow("truncated");
});
