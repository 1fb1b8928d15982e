/** gRPC status codes. */
export const grpcCode = {
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** A call that the other side refused or that did not reach it. */
export class GrpcError extends Error {
  override readonly name: string = "GrpcError";
  /** gRPC status code. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** What a library's error says. */
  static from(error: unknown): GrpcError {
    if (error instanceof GrpcError) return error;
    const { code, details, message } = error as { code?: unknown; details?: unknown; message?: unknown };
    return new GrpcError(typeof code === "number" ? code : grpcCode.unknown, String(details ?? message), {
      cause: error,
    });
  }

  /** The error in the words of upstream's logs and statuses. */
  get rpcText(): string {
    const name = Object.entries(grpcCode).find(([, code]) => code === this.code)?.[0];
    const shown = name ? name.replace(/^./, (letter) => letter.toUpperCase()) : `Code(${this.code})`;
    return `rpc error: code = ${shown} desc = ${this.message}`;
  }
}
