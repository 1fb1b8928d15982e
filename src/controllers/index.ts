export * from "./manager.ts";
export { fixedCatalog } from "./framework/index.ts";
export type {
  Catalog,
  CatalogEntry,
  Controller,
  ControllerContext,
  ControllerSettings,
  Outcome,
} from "./framework/index.ts";
