import { GrpcError, grpcCode } from "../../grpc/index.ts";
import { StoreError, type StoreErrorType } from "../../store/index.ts";

const { invalidArgument, failedPrecondition, outOfRange, notFound, resourceExhausted, unavailable } =
  grpcCode;

/** etcd's refusals, with its codes and words. */
export const refusals = {
  keyNotProvided: [invalidArgument, "key is not provided"],
  keyNotFound: [invalidArgument, "key not found"],
  valueProvided: [invalidArgument, "value is provided"],
  leaseProvided: [invalidArgument, "lease is provided"],
  tooManyOperations: [invalidArgument, "too many operations in txn request"],
  invalidSortOption: [invalidArgument, "invalid sort option"],
  compacted: [outOfRange, "mvcc: required revision has been compacted"],
  futureRevision: [outOfRange, "mvcc: required revision is a future revision"],
  noSpace: [resourceExhausted, "mvcc: database space exceeded"],
  leaseNotFound: [notFound, "requested lease not found"],
  leaseExists: [failedPrecondition, "lease already exists"],
  leaseTooLong: [outOfRange, "too large lease TTL"],
  requestTooLarge: [invalidArgument, "request is too large"],
  stopped: [unavailable, "server stopped"],
  memberNotFound: [notFound, "member not found"],
  oneMember: [failedPrecondition, "re-configuration failed: this server is always the only member"],
  badTransferee: [failedPrecondition, "bad leader transferee"],
  corrupt: [grpcCode.dataLoss, "corrupt cluster"],
  rootUserMissing: [failedPrecondition, "root user does not exist"],
  rootRoleMissing: [failedPrecondition, "root user does not have root role"],
  userExists: [failedPrecondition, "user name already exists"],
  userEmpty: [invalidArgument, "user name is empty"],
  userNotFound: [failedPrecondition, "user name not found"],
  roleExists: [failedPrecondition, "role name already exists"],
  roleNotFound: [failedPrecondition, "role name not found"],
  roleEmpty: [invalidArgument, "role name is empty"],
  authenticationFailed: [invalidArgument, "authentication failed, invalid user ID or password"],
  permissionNotGiven: [invalidArgument, "permission not given"],
  permissionDenied: [grpcCode.permissionDenied, "permission denied"],
  roleNotGranted: [failedPrecondition, "role is not granted to the user"],
  permissionNotGranted: [failedPrecondition, "permission is not granted to the role"],
  authenticationDisabled: [failedPrecondition, "authentication is not enabled"],
  invalidToken: [grpcCode.unauthenticated, "invalid auth token"],
  invalidAuthManagement: [invalidArgument, "invalid auth management"],
} as const satisfies Record<string, readonly [number, string]>;

/** A refusal to throw. */
export function refusal(name: keyof typeof refusals): GrpcError {
  const [code, text] = refusals[name];
  return new GrpcError(code, `etcdserver: ${text}`);
}

const ofStore: Readonly<Partial<Record<StoreErrorType, keyof typeof refusals>>> = {
  compacted: "compacted",
  future: "futureRevision",
  leaseNotFound: "leaseNotFound",
  leaseExists: "leaseExists",
  closed: "stopped",
  corrupt: "corrupt",
  tooLarge: "requestTooLarge",
};

/** What a caller is told of an error of the store. */
export function refusalOf(error: StoreError): GrpcError {
  const name = ofStore[error.type];
  if (name) return refusal(name);
  const code = error.type === "unavailable" ? unavailable : invalidArgument;
  return new GrpcError(code, `etcdserver: ${error.message}`, { cause: error });
}
