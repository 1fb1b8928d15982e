export { deepEqual } from "../../apimachinery/index.ts";
