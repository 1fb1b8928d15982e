import { expect, test } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import { createInformerFactory } from "../../client/index.ts";
import { MemoryClient } from "../../client/testing/index.ts";
import { observed } from "./read-your-writes.ts";

test.each(["before", "meanwhile"])("a wait whose signal aborts %s ends without the clock", async (when) => {
  const clock = new VirtualClock();
  const client = new MemoryClient({ clock, random: seededRandom(1) });
  const informers = createInformerFactory({ client, clock, random: seededRandom(2), logger: silentLogger });
  // Its watch does not run: what is written never shows.
  const informer = informers.informer(ConfigMap);
  const stored = await client.create<ConfigMap>(ConfigMap, { metadata: { name: "x", namespace: "n" } });
  const stopping = new AbortController();
  if (when === "before") stopping.abort();
  const waiting = observed(informer, { stored: [stored] }, { clock, signal: stopping.signal });
  if (when === "meanwhile") stopping.abort();
  await expect(waiting).resolves.toBeUndefined();
});
