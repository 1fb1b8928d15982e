import { GrpcError, grpcCode } from "../../grpc/index.ts";
import { StoreError } from "../../store/index.ts";
import type { StoreErrorType } from "../../store/index.ts";

/**
 * What a failed call means: `refused`: the cluster has answered; `unsent`: no member carries it out, so that it can
 * be sent again; `uncertain`: it may have been carried out, or may still be; `token`: who asks must say again who it is.
 */
export type Failure = "refused" | "unsent" | "uncertain" | "token";

const prefix = "etcdserver: ";
/** Texts of which the transport or a member says that the request went no further. */
const unsent =
  /^No connection established|^Name resolution failed|^etcdserver: (?:no leader|too many requests|not leader)/;
const staleToken = /invalid auth token|revision (?:in header|of auth store) is old/;
const uncertainCodes: ReadonlySet<number> = new Set([
  grpcCode.canceled,
  grpcCode.unknown,
  grpcCode.deadlineExceeded,
  grpcCode.aborted,
  grpcCode.internal,
  grpcCode.unavailable,
  grpcCode.dataLoss,
]);

/** Judges a failed call. */
export function failureOf({ code, message }: GrpcError): Failure {
  if (staleToken.test(message)) return "token";
  if (unsent.test(message)) return "unsent";
  return uncertainCodes.has(code) ? "uncertain" : "refused";
}

const types: readonly (readonly [RegExp, StoreErrorType])[] = [
  [/required revision has been compacted/, "compacted"],
  [/required revision is a future revision/, "future"],
  [/requested lease not found/, "leaseNotFound"],
  [/lease already exists/, "leaseExists"],
  [/request is too large|message larger than max/, "tooLarge"],
  [/corrupt/, "corrupt"],
  [/duplicate key|key is not provided|value is provided|lease is provided|too many operations/, "invalid"],
];

/** A member's answer as the store's error; what it has no name for cannot be done now. */
export function storeErrorOf(error: GrpcError): StoreError {
  const type = types.find(([text]) => text.test(error.message))?.[1] ?? "unavailable";
  const message = error.message.replace(prefix, "").replace("mvcc: ", "");
  return new StoreError(type, type === "unavailable" ? `etcd: ${message}` : message);
}
