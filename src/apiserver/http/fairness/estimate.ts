import { flagOf, integerOf } from "../query.ts";
import type { ResourceInfo } from "../request-info.ts";
import { oneSeat } from "./work.ts";
import type { Work } from "./work.ts";

/** What is stored of a resource. */
export interface StoredSize {
  readonly objects: number;
  readonly averageBytes: number;
}

/** What is known of a request and of what it is about. */
export interface Estimated {
  readonly info: ResourceInfo;
  readonly query: URLSearchParams;
  /** The most seats that a request of its level may take; 0: unbounded by it. */
  readonly widest: number;
  /** Undefined for what is not stored here. */
  readonly stored: () => StoredSize | undefined;
  readonly watches: () => number;
}

const widestList = 100;
const widestWrite = 10;
const bytesPerSeat = 100_000;
/** What a list from the cache has in memory at once, at most. */
const streamedBytes = 1_000_000;
const watchesPerSeat = 10;
/** How long an event keeps the server busy after the write. */
const eventMilliseconds = 5;

const capOf = (widest: number, cap: number): number => (widest === 0 || widest > cap ? cap : widest);

/** The cost of a request, as far as it can be told beforehand. */
export function workOf(estimated: Estimated): Work {
  const { info, query } = estimated;
  switch (info.verb) {
    case "list":
      return listWork(estimated);
    case "watch":
      return flagOf(query, "sendInitialEvents") === true ? listWork(estimated) : oneSeat;
    case "create":
    case "update":
    case "patch":
    case "delete":
      return writeWork(estimated);
    default:
      return oneSeat;
  }
}

function listWork({ info, query, widest, stored }: Estimated): Work {
  // A name leads to one object.
  const size = info.name === "" ? stored() : undefined;
  if (!size) return oneSeat;
  const limit = integerOf(query, "limit") ?? 0;
  const limited = limit > 0 && limit < size.objects ? limit : size.objects;
  const cached = info.verb === "watch" || isCached(query, limit);
  const selects = (query.get("fieldSelector") ?? "") !== "" || (query.get("labelSelector") ?? "") !== "";
  const loaded = !cached && selects ? Math.max(limited, Math.floor(size.objects / 2)) : limited;
  const bytes = loaded * size.averageBytes;
  const seats = Math.ceil((cached ? Math.min(bytes, streamedBytes) : bytes) / bytesPerSeat);
  const width = Math.min(Math.max(seats, 1), capOf(widest, widestList));
  return width === 1 ? oneSeat : { seats: width, finalSeats: 0, lingering: 0 };
}

/** Whether a list is of the newest state, which the cache has. */
function isCached(query: URLSearchParams, limit: number): boolean {
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (match !== "") return match !== "Exact";
  if ((query.get("continue") ?? "") !== "") return false;
  return limit <= 0 || version === "" || version === "0";
}

/** A write keeps the server busy after its answer, when there are many to be told of it. */
function writeWork({ info, widest, watches }: Estimated): Work {
  if (info.verb === "create" && info.resource === "serviceaccounts" && info.subresource === "token") {
    return oneSeat;
  }
  const count = watches();
  if (count < watchesPerSeat) return oneSeat;
  const wanted = Math.ceil(count / watchesPerSeat);
  const finalSeats = Math.min(wanted, capOf(widest, widestWrite));
  return { seats: 1, finalSeats, lingering: (wanted * eventMilliseconds) / finalSeats };
}
