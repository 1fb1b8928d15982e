export * from "./manager.ts";
export type {
  Catalog,
  CatalogEntry,
  Controller,
  ControllerContext,
  ControllerSettings,
  Outcome,
} from "./framework/index.ts";
