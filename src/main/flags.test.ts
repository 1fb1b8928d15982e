import { expect, test } from "vitest";
import { UsageError, parseFlags } from "./flags.ts";

const definitions = {
  dir: { type: "string", description: "" },
  port: { type: "integer", description: "", minimum: 0, maximum: 65535 },
  force: { type: "boolean", description: "" },
  output: { type: "string", shorthand: "o", description: "" },
} as const;

test.each([
  {
    args: ["--dir", "a", "--port=1", "x", "--force"],
    flags: { dir: "a", port: 1, force: true },
    positionals: ["x"],
  },
  { args: ["--force=false", "--", "--dir"], flags: { force: false }, positionals: ["--dir"] },
  { args: ["--dir=a=b"], flags: { dir: "a=b" }, positionals: [] },
  { args: ["-o", "json", "--", "-o"], flags: { output: "json" }, positionals: ["-o"] },
  { args: ["-o=json"], flags: { output: "json" }, positionals: [] },
])("reads $args", ({ args, flags, positionals }) => {
  expect(parseFlags(args, definitions)).toEqual({ flags, positionals });
});

test.each([
  { args: ["--nope"], message: "unknown flag: --nope" },
  { args: ["--dir"], message: "flag needs an argument: --dir" },
  { args: ["--port", "http"], message: 'invalid argument "http" for "--port" flag: must be a whole number' },
  {
    args: ["--port", "70000"],
    message: 'invalid argument "70000" for "--port" flag: must be between 0 and 65535',
  },
  { args: ["--force=maybe"], message: 'invalid argument "maybe" for "--force" flag: must be true or false' },
])("refuses $args", ({ args, message }) => {
  expect(() => parseFlags(args, definitions)).toThrow(new UsageError(message));
});
