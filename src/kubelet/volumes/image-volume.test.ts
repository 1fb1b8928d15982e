import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Pod } from "../../api/types/core-v1.ts";
import { StartError } from "../runtime/start-error.ts";
import type { VolumeContext } from "./volume-plugin.ts";
import { PodVolumes } from "./volumes.ts";

test("an image that cannot be had is told as such, not as a mount that failed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kubets-volumes-"));
  const volumes = new PodVolumes({ pods: folder, memory: folder }, "u");
  const pod = { metadata: { name: "p" }, spec: { volumes: [{ name: "v", image: { reference: "gone:1" } }] } };
  const asked: unknown[] = [];
  const context = {
    mountImage: (source: unknown) => {
      asked.push(source);
      return Promise.reject(new StartError("ErrImagePull", "not found"));
    },
  } as unknown as VolumeContext;
  await expect(volumes.setUp(pod as unknown as Pod, context)).rejects.toMatchObject({
    reason: "ErrImagePull",
  });
  expect(asked).toEqual([{ reference: "gone:1" }]);
  await volumes.tearDown();
  await rm(folder, { recursive: true });
});
