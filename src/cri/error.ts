import { GrpcError, grpcCode } from "../grpc/index.ts";

/** gRPC status codes that callers tell apart. */
export const criCode = {
  canceled: grpcCode.canceled,
  unknown: grpcCode.unknown,
  deadlineExceeded: grpcCode.deadlineExceeded,
  notFound: grpcCode.notFound,
  unavailable: grpcCode.unavailable,
} as const;

/** A call that the container runtime refused or that did not reach it. */
export class CriError extends GrpcError {
  override readonly name = "CriError";
  readonly method: string;

  constructor(options: { method: string; code: number; message: string }) {
    super(options.code, options.message);
    this.method = options.method;
  }

  /** Whether `error` says that the sandbox, container or image is not there. */
  static isNotFound(error: unknown): error is CriError {
    return error instanceof CriError && error.code === criCode.notFound;
  }
}
