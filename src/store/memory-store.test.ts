import { VirtualClock } from "../base/index.ts";
import { createMemoryStore } from "./memory-store.ts";
import { mvccSuite } from "./mvcc-suite.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("memory store", async () => createMemoryStore({ clock: new VirtualClock() }));
mvccSuite("memory store", async ({ clock }) => createMemoryStore({ clock }));
