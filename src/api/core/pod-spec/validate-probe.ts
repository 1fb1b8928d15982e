import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isHTTPHeaderName } from "../../../apimachinery/index.ts";
import { invalidFor, nonNegative, portNumberOrName } from "../../common/checks.ts";
import type { Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "../../types/core-v1.ts";

const schemes = ["HTTP", "HTTPS"];
const windowsSignals = ["SIGKILL", "SIGTERM"];
const linuxSignals = [
  "SIGABRT",
  "SIGALRM",
  "SIGBUS",
  "SIGCHLD",
  "SIGCLD",
  "SIGCONT",
  "SIGFPE",
  "SIGHUP",
  "SIGILL",
  "SIGINT",
  "SIGIO",
  "SIGIOT",
  "SIGKILL",
  "SIGPIPE",
  "SIGPOLL",
  "SIGPROF",
  "SIGPWR",
  "SIGQUIT",
  "SIGRTMAX",
  ...["1", "10", "11", "12", "13", "14", "2", "3", "4", "5", "6", "7", "8", "9"].map(
    (number) => `SIGRTMAX-${number}`,
  ),
  "SIGRTMIN",
  ...["1", "10", "11", "12", "13", "14", "15", "2", "3", "4", "5", "6", "7", "8", "9"].map(
    (number) => `SIGRTMIN+${number}`,
  ),
  "SIGSEGV",
  "SIGSTKFLT",
  "SIGSTOP",
  "SIGSYS",
  "SIGTERM",
  "SIGTRAP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGUSR1",
  "SIGUSR2",
  "SIGVTALRM",
  "SIGWINCH",
  "SIGXCPU",
  "SIGXFSZ",
];

/** What hooks and probes are checked against. */
export interface HandlerRules {
  /** The pod's grace period; absent where the pod has none, which is said elsewhere. */
  readonly gracePeriodSeconds: number | undefined;
  /** The operating system that the pod asks for. */
  readonly system: string | undefined;
}

/** Checks the hooks and probes of a container that may have them. */
export function validateHandlers(container: Container, path: FieldPath, rules: HandlerRules): FieldError[] {
  const errors: FieldError[] = [];
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle) errors.push(...validateLifecycle(lifecycle, path.child("lifecycle"), rules));
  if (livenessProbe) errors.push(...validateSingleSuccess(livenessProbe, path.child("livenessProbe"), rules));
  if (readinessProbe) {
    const at = path.child("readinessProbe");
    errors.push(...validateProbe(readinessProbe, at, rules));
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (grace !== undefined) {
      const why = "must not be set for readinessProbes";
      errors.push(fieldErrors.invalid(at.child("terminationGracePeriodSeconds"), grace, why));
    }
  }
  if (startupProbe) errors.push(...validateSingleSuccess(startupProbe, path.child("startupProbe"), rules));
  return errors;
}

/** Probes that decide on the container's life count one success. */
function validateSingleSuccess(probe: Probe, path: FieldPath, rules: HandlerRules): FieldError[] {
  const errors = validateProbe(probe, path, rules);
  return probe.successThreshold === 1
    ? errors
    : [
        ...errors,
        fieldErrors.invalid(path.child("successThreshold"), probe.successThreshold ?? 0, "must be 1"),
      ];
}

function validateLifecycle(lifecycle: Lifecycle, path: FieldPath, rules: HandlerRules): FieldError[] {
  const errors: FieldError[] = [];
  const { postStart, preStop, stopSignal } = lifecycle;
  if (postStart) errors.push(...validateHandler(postStart, path.child("postStart"), rules));
  if (preStop) errors.push(...validateHandler(preStop, path.child("preStop"), rules));
  if (stopSignal === undefined) return errors;
  const at = path.child("stopSignal");
  if (rules.system === undefined) {
    const why = "may not be set for containers with empty `spec.os.name`";
    return [...errors, fieldErrors.forbidden(at, why)];
  }
  const signals = rules.system === "windows" ? windowsSignals : linuxSignals;
  return signals.includes(stopSignal)
    ? errors
    : [...errors, fieldErrors.notSupported(at, stopSignal, signals)];
}

/** Checks the action of a probe or a hook: exactly one, and that one whole. */
function validateHandler(
  handler: LifecycleHandler & Pick<Probe, "grpc">,
  path: FieldPath,
  rules: HandlerRules,
): FieldError[] {
  const errors: FieldError[] = [];
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  let count = 0;
  const add = (field: string, check: (at: FieldPath) => FieldError[]) => {
    const at = path.child(field);
    if (count++ === 0) errors.push(...check(at));
    else errors.push(fieldErrors.forbidden(at, "may not specify more than 1 handler type"));
  };
  if (exec) add("exec", (at) => (exec.command?.length ? [] : [fieldErrors.required(at.child("command"))]));
  if (httpGet) add("httpGet", (at) => validateHttpGet(httpGet, at));
  if (tcpSocket) add("tcpSocket", (at) => portNumberOrName(at.child("port"), tcpSocket.port));
  if (grpc) add("grpc", (at) => portNumberOrName(at.child("port"), grpc.port));
  if (sleep) add("sleep", (at) => validateSleep(sleep.seconds ?? 0, at, rules));
  if (count === 0) errors.push(fieldErrors.required(path, "must specify a handler type"));
  return errors;
}

function validateSleep(seconds: number, path: FieldPath, rules: HandlerRules): FieldError[] {
  const grace = rules.gracePeriodSeconds;
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  const why = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  return [fieldErrors.invalid(path, seconds, why)];
}

function validateProbe(probe: Probe, path: FieldPath, rules: HandlerRules): FieldError[] {
  const errors = validateHandler(probe, path, rules);
  errors.push(
    ...nonNegative(path.child("initialDelaySeconds"), probe.initialDelaySeconds),
    ...nonNegative(path.child("timeoutSeconds"), probe.timeoutSeconds),
    ...nonNegative(path.child("periodSeconds"), probe.periodSeconds),
    ...nonNegative(path.child("successThreshold"), probe.successThreshold),
    ...nonNegative(path.child("failureThreshold"), probe.failureThreshold),
  );
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    const at = path.child("terminationGracePeriodSeconds");
    errors.push(fieldErrors.invalid(at, grace, "must be greater than 0"));
  }
  return errors;
}

function validateHttpGet(action: HTTPGetAction, path: FieldPath): FieldError[] {
  const errors = action.path ? [] : [fieldErrors.required(path.child("path"))];
  errors.push(...portNumberOrName(path.child("port"), action.port));
  if (!schemes.includes(action.scheme ?? "")) {
    errors.push(fieldErrors.notSupported(path.child("scheme"), action.scheme ?? "", schemes));
  }
  for (const header of action.httpHeaders ?? []) {
    errors.push(...invalidFor(path.child("httpHeaders"), header.name, isHTTPHeaderName(header.name ?? "")));
  }
  return errors;
}
