export { PatternError } from "./parse.ts";
export { Regex } from "./regex.ts";
