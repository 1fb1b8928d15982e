import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { storeSuite } from "../store-suite.ts";
import { openLogStore } from "./log-store.ts";

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-store-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

storeSuite("log store", async ({ clock }) => openLogStore({ clock, directory: await temporaryDirectory() }));
