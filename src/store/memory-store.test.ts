import { createMemoryStore } from "./memory-store.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("memory store", async ({ clock }) => createMemoryStore({ clock }));
