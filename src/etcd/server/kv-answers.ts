import type {
  Operation,
  OperationResult,
  Outcome,
  RangeResult,
  Revision,
  Versioned,
} from "../../store/index.ts";
import { enumerations, type EtcdInput, type EtcdOutput } from "../messages.ts";
import { keyValueOf } from "../snapshot/index.ts";

type RangeRequest = EtcdOutput<"RangeRequest">;
type TxnRequest = EtcdOutput<"TxnRequest">;
type RequestOp = EtcdOutput<"RequestOp">;

const { sortOrder, sortTarget } = enumerations;

/** Filters, sorts and cuts what a range holds as the request wants it. */
export function rangeAnswer(request: RangeRequest, found: RangeResult): EtcdInput<"RangeResponse"> {
  const { limit, keysOnly, countOnly } = request;
  if (countOnly) return { count: found.count };
  const sorted = ordered(
    found.items.filter((item) => passes(item, request)),
    request,
  );
  const isCut = limit > 0 && (sorted.length > limit || (isUnfiltered(request) && found.count > limit));
  const shown = isCut ? sorted.slice(0, limit) : sorted;
  return {
    kvs: shown.map((item) => (keysOnly ? { ...keyValueOf(item), value: undefined } : keyValueOf(item))),
    more: isCut,
    count: found.count,
  };
}

function passes({ modRevision, createRevision }: Versioned, request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    (minModRevision === 0 || modRevision >= minModRevision) &&
    (maxModRevision === 0 || modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || createRevision <= maxCreateRevision)
  );
}

function isUnfiltered(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return !(minModRevision || maxModRevision || minCreateRevision || maxCreateRevision);
}

function ordered(items: readonly Versioned[], request: RangeRequest): readonly Versioned[] {
  const { sortOrder: order, sortTarget: target } = request;
  // Keys come in order; of other targets etcd takes the ascending order when none is asked for.
  if (target === sortTarget.key && order !== sortOrder.descending) return items;
  const compare = comparisons[target] ?? comparisons[sortTarget.key]!;
  const sign = order === sortOrder.descending ? -1 : 1;
  return items.toSorted((one, other) => sign * compare(one, other));
}

const comparisons: Readonly<Record<number, (one: Versioned, other: Versioned) => number>> = {
  [sortTarget.key]: (one, other) => (one.key < other.key ? -1 : 1),
  [sortTarget.version]: (one, other) => one.version - other.version,
  [sortTarget.create]: (one, other) => one.createRevision - other.createRevision,
  [sortTarget.mod]: (one, other) => one.modRevision - other.modRevision,
  [sortTarget.value]: (one, other) => Buffer.compare(one.value, other.value),
};

/** What a transaction answers: answers inside it tell the revision at which each was made. */
export function txnAnswer(request: TxnRequest, outcome: Outcome): EtcdInput<"TxnResponse"> {
  const progress = { revision: outcome.revision - (changes(outcome) ? 1 : 0), hasChanged: false };
  return { succeeded: outcome.succeeded, responses: responsesOf(request, { outcome, progress }) };
}

/** Where a transaction stands: what follows its first change is of the next revision. */
interface Progress {
  readonly revision: Revision;
  hasChanged: boolean;
}

function changes({ results }: Outcome): boolean {
  return results.some((result) => {
    switch (result.type) {
      case "range":
        return false;
      case "put":
        return true;
      case "delete":
        return result.deleted.length > 0;
      case "transaction":
        return changes(result.outcome);
    }
  });
}

function responsesOf(
  request: TxnRequest,
  { outcome, progress }: { readonly outcome: Outcome; readonly progress: Progress },
): readonly EtcdInput<"ResponseOp">[] {
  const operations = outcome.succeeded ? request.success : request.failure;
  return outcome.results.map((result, index) => responseOf(operations[index]!, { result, progress }));
}

function responseOf(
  operation: RequestOp,
  { result, progress }: { readonly result: OperationResult; readonly progress: Progress },
): EtcdInput<"ResponseOp"> {
  if (result.type === "put" || (result.type === "delete" && result.deleted.length > 0))
    progress.hasChanged = true;
  const header = { revision: progress.revision + (progress.hasChanged ? 1 : 0) };
  switch (result.type) {
    case "range":
      return { responseRange: { header, ...rangeAnswer(operation.requestRange!, result) } };
    case "put":
      return { responsePut: { header, ...putAnswer(operation.requestPut!, result) } };
    case "delete":
      return { responseDeleteRange: { header, ...deleteAnswer(operation.requestDeleteRange!, result) } };
    case "transaction": {
      const { outcome } = result;
      const responses = responsesOf(operation.requestTxn!, { outcome, progress });
      return { responseTxn: { header: {}, succeeded: outcome.succeeded, responses } };
    }
  }
}

type ResultOf<T extends Operation["type"]> = OperationResult & { readonly type: T };

export function putAnswer(
  { prevKv }: { readonly prevKv: boolean },
  { previous }: ResultOf<"put">,
): EtcdInput<"PutResponse"> {
  return prevKv && previous ? { prevKv: keyValueOf(previous) } : {};
}

export function deleteAnswer(
  { prevKv }: { readonly prevKv: boolean },
  { deleted }: ResultOf<"delete">,
): EtcdInput<"DeleteRangeResponse"> {
  return { deleted: deleted.length, prevKvs: prevKv ? deleted.map(keyValueOf) : [] };
}
