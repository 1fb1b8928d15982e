export { claimBinder, volumeBinder } from "./binder-controllers.ts";
