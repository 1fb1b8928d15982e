export { forwardingSettings, setKernelSettings } from "./kernel-settings.ts";
export { ProgramError, runProgram, type RunProgram } from "./run-program.ts";
