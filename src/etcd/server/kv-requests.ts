import type { Compare, Operation, Transaction } from "../../store/index.ts";
import { enumerations, type EtcdOutput } from "../messages.ts";
import { refusal } from "./errors.ts";
import { rangeOf } from "./keys.ts";

type RangeRequest = EtcdOutput<"RangeRequest">;
type PutRequest = EtcdOutput<"PutRequest">;
type TxnRequest = EtcdOutput<"TxnRequest">;
type RequestOp = EtcdOutput<"RequestOp">;

const { compareResult, compareTarget, sortOrder, sortTarget } = enumerations;

/** Refuses what etcd refuses before it looks at its data. */
export function checkRange(request: RangeRequest): void {
  if (request.key === "") throw refusal("keyNotProvided");
  const { sortOrder: order, sortTarget: target } = request;
  if (order > sortOrder.descending || target > sortTarget.value) throw refusal("invalidSortOption");
}

export function checkPut(request: PutRequest): void {
  if (request.key === "") throw refusal("keyNotProvided");
  if (request.ignoreValue && request.value.length > 0) throw refusal("valueProvided");
  if (request.ignoreLease && request.lease !== "0") throw refusal("leaseProvided");
}

export function checkDelete(request: EtcdOutput<"DeleteRangeRequest">): void {
  if (request.key === "") throw refusal("keyNotProvided");
}

/** Checks a transaction with those inside it; together they have at most so many operations a level. */
export function checkTxn(request: TxnRequest, operations: number): void {
  const { compare, success, failure } = request;
  const most = Math.max(compare.length, success.length, failure.length);
  if (most > operations) throw refusal("tooManyOperations");
  if (compare.some(({ key }) => key === "")) throw refusal("keyNotProvided");
  for (const operation of [...success, ...failure]) checkOperation(operation, operations - most);
}

function checkOperation(operation: RequestOp, operations: number): void {
  const { requestRange, requestPut, requestDeleteRange, requestTxn } = operation;
  if (requestRange) checkRange(requestRange);
  else if (requestPut) checkPut(requestPut);
  else if (requestDeleteRange) checkDelete(requestDeleteRange);
  else if (requestTxn) checkTxn(requestTxn, operations);
  else throw refusal("keyNotFound");
}

/** The transaction that the store is to do. */
export function transactionOf({ compare, success, failure }: TxnRequest): Transaction {
  return {
    compare: compare.map(compareOf),
    success: success.map(operationOf),
    failure: failure.map(operationOf),
  };
}

/** A range as an operation; what is sorted or filtered is read whole. */
export function rangeOperation(request: RangeRequest): Operation & { type: "range" } {
  const { revision, limit, countOnly } = request;
  return {
    type: "range",
    range: rangeOf(request),
    countOnly,
    ...(revision > 0 ? { at: revision } : {}),
    ...(limit > 0 && !isReadWhole(request) ? { limit } : {}),
  };
}

export function isReadWhole(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const isFiltered = minModRevision || maxModRevision || minCreateRevision || maxCreateRevision;
  return request.sortOrder !== sortOrder.none || Boolean(isFiltered);
}

export function putOperation(request: PutRequest): Operation & { type: "put" } {
  const { key, value, lease } = request;
  return {
    type: "put",
    key,
    ...(request.ignoreValue ? {} : { value }),
    ...(request.ignoreLease ? { lease: "keep" } : lease === "0" ? {} : { lease }),
  };
}

function operationOf(operation: RequestOp): Operation {
  const { requestRange, requestPut, requestDeleteRange, requestTxn } = operation;
  if (requestRange) return rangeOperation(requestRange);
  if (requestPut) return putOperation(requestPut);
  if (requestDeleteRange) {
    // etcd does not see that a deletion of all keys from one on meets puts of the same transaction.
    const meetsPuts = requestDeleteRange.rangeEnd === "\0";
    return { type: "delete", range: rangeOf(requestDeleteRange), meetsPuts };
  }
  return { type: "transaction", transaction: transactionOf(requestTxn!) };
}

const results: Readonly<Record<number, Compare["result"]>> = {
  [compareResult.equal]: "equal",
  [compareResult.greater]: "greater",
  [compareResult.less]: "less",
  [compareResult.notEqual]: "notEqual",
};

function compareOf(compare: EtcdOutput<"Compare">): Compare {
  const result = results[compare.result] ?? "equal";
  const range = rangeOf(compare);
  switch (compare.target) {
    case compareTarget.create:
      return { range, result, target: "create", operand: compare.createRevision ?? 0 };
    case compareTarget.mod:
      return { range, result, target: "mod", operand: compare.modRevision ?? 0 };
    case compareTarget.value:
      return { range, result, target: "value", operand: compare.value ?? new Uint8Array(0) };
    case compareTarget.lease:
      return { range, result, target: "lease", operand: compare.lease ?? "0" };
    default:
      return { range, result, target: "version", operand: compare.version ?? 0 };
  }
}
