export { PatternError } from "./parse.ts";
export { Regex, patternProblem } from "./regex.ts";
