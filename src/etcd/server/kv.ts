import type { Handlers } from "../../grpc/index.ts";
import { invariant } from "../../base/index.ts";
import type { Operation, OperationResult, Outcome } from "../../store/index.ts";
import type { EtcdOutput, messages, methods } from "../messages.ts";
import { headerOf, type ServerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { deleteAnswer, putAnswer, rangeAnswer, txnAnswer } from "./kv-answers.ts";
import {
  checkDelete,
  checkPut,
  checkRange,
  checkTxn,
  putOperation,
  rangeOperation,
  transactionOf,
} from "./kv-requests.ts";
import { rangeOf } from "./keys.ts";
import type { Extent } from "./metrics.ts";

/** The handlers of some of etcd's calls. */
export type EtcdHandlers<N extends keyof typeof methods> = Required<
  Pick<Handlers<typeof messages, typeof methods>, N>
>;

/** The service KV: reading, writing, transactions and compaction. */
export function kvHandlers(
  context: ServerContext,
): EtcdHandlers<"Range" | "Put" | "DeleteRange" | "Txn" | "Compact"> {
  const { store, auth, limits, metrics } = context;
  const header = (revision?: number) => headerOf(context, revision);
  const one = async <T extends Operation["type"]>(
    operation: Operation & { readonly type: T },
    extent: Extent,
  ) => {
    const outcome = await store.transact({ compare: [], success: [operation], failure: [] });
    metrics.noteOperations(outcome.results, extent);
    return { result: resultOf(outcome, operation.type), revision: outcome.revision };
  };
  return {
    async Range(request, call) {
      checkRange(request);
      auth.require(call, { reads: [rangeOf(request)] });
      const { range, ...options } = rangeOperation(request);
      // Of the past, too, the header tells the newest revision; it must not be newer than what was read.
      const { revision } = store;
      const found = await store.range(range, options);
      metrics.noteOperations([{ type: "range", ...found }]);
      return { header: header(options.at ? revision : found.revision), ...rangeAnswer(request, found) };
    },
    async Put(request, call) {
      requireRoom(context);
      checkPut(request);
      requireSmall(call.requestBytes, limits.requestBytes);
      const range = rangeOf({ key: request.key, rangeEnd: "" });
      auth.require(call, { writes: [range], reads: request.prevKv ? [range] : [] });
      // Of a put alone etcd looks at the lease first, of one in a transaction at the key.
      if (request.lease !== "0" && !store.leaseStatus(request.lease)) throw refusal("leaseNotFound");
      const { result, revision } = await one(putOperation(request), extentOf({ requestPut: request }));
      return { header: header(revision), ...putAnswer(request, result) };
    },
    async DeleteRange(request, call) {
      checkDelete(request);
      requireSmall(call.requestBytes, limits.requestBytes);
      const range = rangeOf(request);
      auth.require(call, { writes: [range], reads: request.prevKv ? [range] : [] });
      const { result, revision } = await one(
        { type: "delete", range },
        extentOf({ requestDeleteRange: request }),
      );
      return { header: header(revision), ...deleteAnswer(request, result) };
    },
    async Txn(request, call) {
      if (puts(request)) requireRoom(context);
      checkTxn(request, limits.operations);
      requireSmall(call.requestBytes, limits.requestBytes);
      auth.require(call, accessOf(request));
      const outcome = await store.transact(transactionOf(request));
      metrics.noteOperations(outcome.results, extentOfTxn(request, outcome));
      return { header: header(outcome.revision), ...txnAnswer(request, outcome) };
    },
    async Compact({ revision }, call) {
      auth.requireUser(call);
      await metrics.timed("compaction", () => context.compactions.through(revision));
      // etcd reads a key there, to learn the revision.
      metrics.noteOperations([{ type: "range", items: [], count: 0 }]);
      return { header: header() };
    },
  };
}

function resultOf<T extends Operation["type"]>(
  { results }: Outcome,
  type: T,
): OperationResult & { readonly type: T } {
  const [result] = results;
  invariant(result?.type === type, `the answer to a ${type} is a ${result?.type}`);
  return result as OperationResult & { readonly type: T };
}

/** What an operation does besides what it answers. */
function extentOf(operation: Partial<EtcdOutput<"RequestOp">>): Required<Extent> {
  const { requestPut, requestDeleteRange } = operation;
  const putBytes = requestPut ? requestPut.key.length + requestPut.value.length : 0;
  const previous = requestPut?.prevKv || requestDeleteRange?.prevKv ? 1 : 0;
  return { putBytes, previous, compares: 0 };
}

function extentOfTxn(request: EtcdOutput<"TxnRequest">, { succeeded, results }: Outcome): Required<Extent> {
  // The first comparison that fails is the last one: which it was is not known.
  const sum = { putBytes: 0, previous: 0, compares: succeeded ? request.compare.length : 1 };
  for (const [index, operation] of (succeeded ? request.success : request.failure).entries()) {
    const result = results[index];
    const { requestTxn } = operation;
    const extent =
      requestTxn && result?.type === "transaction"
        ? extentOfTxn(requestTxn, result.outcome)
        : extentOf(operation);
    sum.putBytes += extent.putBytes;
    sum.previous += extent.previous;
    sum.compares += extent.compares;
  }
  return sum;
}

function requireSmall(bytes: number, most: number): void {
  if (bytes > most) throw refusal("requestTooLarge");
}

/** Refuses what needs room on the disk when the quota is used up. */
export function requireRoom({ store, limits }: ServerContext): void {
  if (limits.quotaBytes > 0 && store.sizes.allocated > limits.quotaBytes) throw refusal("noSpace");
}

function puts({ success, failure }: EtcdOutput<"TxnRequest">): boolean {
  return [...success, ...failure].some(
    ({ requestPut, requestTxn }) =>
      requestPut !== undefined || (requestTxn !== undefined && puts(requestTxn)),
  );
}

/** What a transaction reads and writes, whichever branches it takes. */
function accessOf(request: EtcdOutput<"TxnRequest">): {
  reads: ReturnType<typeof rangeOf>[];
  writes: ReturnType<typeof rangeOf>[];
} {
  const reads = request.compare.map(rangeOf);
  const writes: ReturnType<typeof rangeOf>[] = [];
  for (const { requestRange, requestPut, requestDeleteRange, requestTxn } of [
    ...request.success,
    ...request.failure,
  ]) {
    if (requestRange) reads.push(rangeOf(requestRange));
    const written = requestPut ? { ...requestPut, rangeEnd: "" } : requestDeleteRange;
    if (written) {
      writes.push(rangeOf(written));
      if (written.prevKv) reads.push(rangeOf(written));
    }
    if (!requestTxn) continue;
    const inner = accessOf(requestTxn);
    reads.push(...inner.reads);
    writes.push(...inner.writes);
  }
  return { reads, writes };
}
