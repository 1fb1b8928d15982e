import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isHTTPHeaderName } from "../../../apimachinery/index.ts";
import { invalidFor, nonNegative, oneOf, portNumberOrName } from "../../common/checks.ts";
import type {
  Container,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
} from "../../types/core-v1.ts";

const schemes = ["HTTP", "HTTPS"];
const handlerFields = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

/** Checks a container's probes. */
export function validateProbes(
  container: Container | EphemeralContainer,
  path: FieldPath,
  type: "regular" | "init" | "ephemeral",
): FieldError[] {
  const forbidden = type === "regular" || container.restartPolicy === "Always" ? undefined : type;
  const errors: FieldError[] = [];
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (probe === undefined) continue;
    const at = path.child(name);
    if (forbidden === "init") {
      errors.push(
        fieldErrors.forbidden(at, "may not be set for init containers without restartPolicy=Always"),
      );
      continue;
    }
    if (forbidden === "ephemeral") {
      errors.push(fieldErrors.forbidden(at, "cannot be set for an Ephemeral Container"));
      continue;
    }
    errors.push(...validateProbe(probe, at));
    if (name === "readinessProbe") {
      if (probe.terminationGracePeriodSeconds !== undefined) {
        errors.push(
          fieldErrors.invalid(
            at.child("terminationGracePeriodSeconds"),
            probe.terminationGracePeriodSeconds,
            "must not be set for readinessProbes",
          ),
        );
      }
    } else if (probe.successThreshold !== 1) {
      errors.push(
        fieldErrors.invalid(at.child("successThreshold"), probe.successThreshold ?? 0, "must be 1"),
      );
    }
  }
  return errors;
}

/** Checks the action of a probe or a lifecycle hook. */
export function validateHandler(
  handler: LifecycleHandler & Pick<Probe, "grpc">,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  let first: string | undefined;
  for (const field of handlerFields) {
    if (handler[field] === undefined) continue;
    const at = path.child(field);
    if (first !== undefined) {
      errors.push(fieldErrors.forbidden(at, "may not specify more than 1 handler type"));
      continue;
    }
    first = field;
    if (field === "exec" && !handler.exec?.command?.length)
      errors.push(fieldErrors.required(at.child("command")));
    if (handler.httpGet && field === "httpGet") errors.push(...validateHttpGet(handler.httpGet, at));
    if (field === "tcpSocket") errors.push(...portNumberOrName(at.child("port"), handler.tcpSocket?.port));
    if (field === "grpc") errors.push(...portNumberOrName(at.child("port"), handler.grpc?.port));
  }
  if (first === undefined) errors.push(fieldErrors.required(path, "must specify a handler type"));
  return errors;
}

function validateProbe(probe: Probe, path: FieldPath): FieldError[] {
  const errors = [
    ...validateHandler(probe, path),
    ...nonNegative(path.child("initialDelaySeconds"), probe.initialDelaySeconds),
    ...nonNegative(path.child("timeoutSeconds"), probe.timeoutSeconds),
    ...nonNegative(path.child("periodSeconds"), probe.periodSeconds),
    ...nonNegative(path.child("successThreshold"), probe.successThreshold),
    ...nonNegative(path.child("failureThreshold"), probe.failureThreshold),
  ];
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(
      fieldErrors.invalid(path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"),
    );
  }
  return errors;
}

function validateHttpGet(action: HTTPGetAction, path: FieldPath): FieldError[] {
  const errors = action.path ? [] : [fieldErrors.required(path.child("path"))];
  errors.push(
    ...portNumberOrName(path.child("port"), action.port),
    ...oneOf(path.child("scheme"), action.scheme, schemes),
  );
  for (const [index, header] of (action.httpHeaders ?? []).entries()) {
    const place = path.child("httpHeaders").index(index).child("name");
    errors.push(...invalidFor(place, header.name, isHTTPHeaderName(header.name)));
  }
  return errors;
}
