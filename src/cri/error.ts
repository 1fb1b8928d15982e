/** gRPC status codes that callers tell apart. */
export const criCode = {
  canceled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  unavailable: 14,
} as const;

/** A call that the container runtime refused or that did not reach it. */
export class CriError extends Error {
  override readonly name = "CriError";
  readonly method: string;
  /** gRPC status code. */
  readonly code: number;

  constructor(options: { method: string; code: number; message: string }) {
    super(options.message);
    this.method = options.method;
    this.code = options.code;
  }

  /** Whether `error` says that the sandbox, container or image is not there. */
  static isNotFound(error: unknown): error is CriError {
    return error instanceof CriError && error.code === criCode.notFound;
  }

  /** The error in the words that upstream's kubelet puts into events and statuses. */
  get rpcText(): string {
    return `rpc error: code = ${codeNames[this.code] ?? `Code(${this.code})`} desc = ${this.message}`;
  }
}

const codeNames: Readonly<Record<number, string>> = {
  1: "Canceled",
  2: "Unknown",
  3: "InvalidArgument",
  4: "DeadlineExceeded",
  5: "NotFound",
  6: "AlreadyExists",
  7: "PermissionDenied",
  8: "ResourceExhausted",
  9: "FailedPrecondition",
  10: "Aborted",
  11: "OutOfRange",
  12: "Unimplemented",
  13: "Internal",
  14: "Unavailable",
  15: "DataLoss",
  16: "Unauthenticated",
};
