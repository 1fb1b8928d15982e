export * from "./manager.ts";
export type {
  Catalog,
  CatalogChange,
  CatalogEntry,
  Controller,
  ControllerContext,
  ControllerSettings,
  Outcome,
} from "./framework/index.ts";
