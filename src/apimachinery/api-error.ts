import type { Status, StatusCause, StatusDetails } from "./generated/meta-v1.ts";
import type { GroupResource, GroupVersionKind } from "./resource.ts";
import type { FieldError } from "./field-error.ts";
import { fieldErrorMessage } from "./field-error.ts";

/** What went wrong, in upstream's words: `StatusReason`. */
export type StatusReason =
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Gone"
  | "Invalid"
  | "ServerTimeout"
  | "Timeout"
  | "TooManyRequests"
  | "BadRequest"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "RequestEntityTooLarge"
  | "UnsupportedMediaType"
  | "InternalError"
  | "Expired"
  | "ServiceUnavailable"
  | "StorageReadError"
  | "";

/** A failure that the API reports: carries the `Status` object that the client gets. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: Status;

  constructor(
    status: Omit<Status, "kind" | "apiVersion" | "metadata" | "status"> & Partial<Pick<Status, "metadata">>,
  ) {
    super(status.message ?? "");
    this.status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...status };
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): StatusReason {
    return (this.status.reason ?? "") as StatusReason;
  }

  /** Whether `error` is an API error, of the reason if one is given. */
  static is(error: unknown, reason?: StatusReason): error is ApiError {
    return error instanceof ApiError && (reason === undefined || error.reason === reason);
  }

  /** The one place where a stranger's error becomes an API error. */
  static from(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    return ApiError.internal(error instanceof Error ? error.message : String(error));
  }

  static notFound(resource: GroupResource, name: string): ApiError {
    return failure(404, "NotFound", `${quoted(resource)} "${name}" not found`, details(resource, name));
  }

  static alreadyExists(resource: GroupResource, name: string): ApiError {
    return failure(
      409,
      "AlreadyExists",
      `${quoted(resource)} "${name}" already exists`,
      details(resource, name),
    );
  }

  static conflict(resource: GroupResource, name: string, why: string): ApiError {
    const message = `Operation cannot be fulfilled on ${quoted(resource)} "${name}": ${why}`;
    return failure(409, "Conflict", message, details(resource, name));
  }

  static forbidden(resource: GroupResource, name: string, why: string): ApiError {
    const subject =
      resource.resource === ""
        ? ""
        : name === ""
          ? `${quoted(resource)} is `
          : `${quoted(resource)} "${name}" is `;
    return failure(403, "Forbidden", `${subject}forbidden: ${why}`, details(resource, name));
  }

  static invalid(
    kind: Pick<GroupVersionKind, "group" | "kind">,
    name: string,
    errors: readonly FieldError[],
  ): ApiError {
    // What is found twice is told once, but counts twice among the causes.
    const parts = [...new Set(errors.map((error) => `${error.field}: ${fieldErrorMessage(error)}`))];
    const list = parts.length === 1 ? parts[0] : `[${parts.join(", ")}]`;
    const qualified = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
    const causes: StatusCause[] = errors.map((error) => ({
      reason: error.type,
      message: fieldErrorMessage(error),
      field: error.field,
    }));
    const group = kind.group === "" ? {} : { group: kind.group };
    return failure(422, "Invalid", `${qualified} "${name}" is invalid: ${list}`, {
      ...(name === "" ? {} : { name }),
      ...group,
      ...(kind.kind === "" ? {} : { kind: kind.kind }),
      causes,
    });
  }

  static badRequest(message: string): ApiError {
    return failure(400, "BadRequest", message);
  }

  static unauthorized(message = "Unauthorized"): ApiError {
    return failure(401, "Unauthorized", message);
  }

  static methodNotSupported(resource: GroupResource, action: string): ApiError {
    const message = `${action} is not supported on resources of kind "${quoted(resource)}"`;
    return failure(405, "MethodNotAllowed", message, details(resource, ""));
  }

  static notAcceptable(message: string, about?: StatusDetails): ApiError {
    return failure(406, "NotAcceptable", message, about);
  }

  static unsupportedMediaType(message: string, about?: StatusDetails): ApiError {
    return failure(415, "UnsupportedMediaType", message, about);
  }

  static tooLarge(message: string): ApiError {
    return failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);
  }

  /** No route leads where the request asks. */
  static noSuchPath(): ApiError {
    return failure(404, "NotFound", "the server could not find the requested resource", {});
  }

  /** A route leads there, for other methods. */
  static noSuchMethod(): ApiError {
    const message = "the server does not allow this method on the requested resource";
    return failure(405, "MethodNotAllowed", message, {});
  }

  /** A list or watch that asks for history that is gone. */
  /** `next` is a continue token with which the client may go on in spite of it. */
  static expired(message: string, next?: string): ApiError {
    if (next === undefined) return failure(410, "Expired", message);
    return new ApiError({ metadata: { continue: next }, message, reason: "Expired", code: 410 });
  }

  static timeout(message: string, retryAfterSeconds = 0): ApiError {
    return failure(504, "Timeout", `Timeout: ${message}`, { retryAfterSeconds });
  }

  static tooManyRequests(
    message: string,
    retryAfterSeconds: number,
    causes: readonly StatusCause[] = [],
  ): ApiError {
    return failure(429, "TooManyRequests", message, {
      ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
      ...(causes.length ? { causes } : {}),
    });
  }

  static serviceUnavailable(message: string): ApiError {
    return failure(503, "ServiceUnavailable", message);
  }

  static internal(message: string): ApiError {
    return failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
  }
}

/** Whether a creation failed because its namespace is going: then there is nothing left to do. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    ApiError.is(error) &&
    (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating")
  );
}

const quoted = (resource: GroupResource) =>
  resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;

function details(resource: GroupResource, name: string): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    ...(resource.resource === "" ? {} : { kind: resource.resource }),
  };
}

function failure(
  code: number,
  reason: StatusReason,
  message: string,
  statusDetails?: StatusDetails,
): ApiError {
  return new ApiError({ message, reason, ...(statusDetails ? { details: statusDetails } : {}), code });
}
