export { legacyTokenCleaner } from "./cleaner-controller.ts";
export { legacyTokensController } from "./tokens-controller.ts";
