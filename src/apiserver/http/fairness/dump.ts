import { columnText } from "./columns.ts";
import type { Fairness } from "./fairness.ts";
import type { Level } from "./level.ts";
import type { Queue } from "./queue.ts";
import { totalWork } from "./queue.ts";
import type { Ticket } from "./ticket.ts";

const root = "/debug/api_priority_and_fairness/";

/** Pages that show levels, queues and requests as they are now; undefined for other paths. */
export function dumpOf(
  fairness: Fairness,
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
): string | undefined {
  if (!path.startsWith(root)) return undefined;
  const levels = [...fairness.levels.values()];
  for (const { set } of levels) set.sync();
  switch (path.slice(root.length)) {
    case "dump_priority_levels":
      return columnText([levelHeads, ...levels.map(levelRow)]);
    case "dump_queues":
      return columnText([
        queueHeads,
        ...levels.flatMap((level) => level.set.queues.map((queue) => queueRow(level, queue))),
      ]);
    case "dump_requests": {
      const details = (query.get("includeRequestDetails") ?? "") !== "";
      const heads = details ? [...requestHeads, ...detailHeads] : requestHeads;
      return columnText([heads, ...levels.flatMap((level) => requestRows(level, { details }))]);
    }
    default:
      return undefined;
  }
}

const levelHeads = [
  "PriorityLevelName",
  "ActiveQueues",
  "IsIdle",
  "IsQuiescing",
  "WaitingRequests",
  "ExecutingRequests",
  "DispatchedRequests",
  "RejectedRequests",
  "TimedoutRequests",
  "CancelledRequests",
];

const levelRow = ({ name, set, quiescing }: Level): readonly string[] => {
  const waiting = set.queues.filter((queue) => queue.waiting.length > 0).length;
  const { idle, executing, dispatched, rejected, timedOut, cancelled } = set;
  const values = [
    waiting,
    idle,
    quiescing,
    set.waiting,
    executing,
    dispatched,
    rejected,
    timedOut,
    cancelled,
  ];
  return [name, ...values.map(String)];
};

const queueHeads = [
  "PriorityLevelName",
  "Index",
  "PendingRequests",
  "ExecutingRequests",
  "SeatsInUse",
  "NextDispatchR",
  "InitialSeatsSum",
  "MaxSeatsSum",
  "TotalWorkSum",
];

function queueRow({ name }: Level, { index, waiting, executing, seatsInUse, nextDispatch }: Queue): string[] {
  const sum = (valueOf: (ticket: Ticket) => number) =>
    waiting.reduce((total, ticket) => total + valueOf(ticket), 0);
  return [
    name,
    String(index),
    String(waiting.length),
    String(executing),
    String(seatsInUse),
    seatSeconds(nextDispatch),
    String(sum(({ work }) => work.seats)),
    String(sum(({ width }) => width)),
    seatSeconds(sum(totalWork)),
  ];
}

const seatSeconds = (value: number): string => `${value.toFixed(8)}ss`;

const requestHeads = [
  "PriorityLevelName",
  "FlowSchemaName",
  "QueueIndex",
  "RequestIndexInQueue",
  "FlowDistingsher",
  "ArriveTime",
  "InitialSeats",
  "FinalSeats",
  "AdditionalLatency",
  "StartTime",
];
const detailHeads = [
  "UserName",
  "Verb",
  "APIPath",
  "Namespace",
  "Name",
  "APIVersion",
  "Resource",
  "SubResource",
];

/** Those that wait by their place in the queue; those that are carried out have none any more. */
function requestRows({ name, set }: Level, { details }: { readonly details: boolean }): string[][] {
  const row = (ticket: Ticket, place: number): string[] => {
    const { flow, queue, work, arrived, started } = ticket;
    const common = [
      name,
      flow.schemaName,
      String(queue?.index ?? -1),
      String(place),
      flow.distinguisher,
      new Date(arrived).toISOString(),
      String(work.seats),
      String(work.finalSeats),
      work.lingering === 0 ? "0s" : `${work.lingering}ms`,
      started === 0 ? "0001-01-01T00:00:00Z" : new Date(started).toISOString(),
    ];
    return details ? [...common, ...detailsOf(ticket)] : common;
  };
  return [
    ...set.queues.flatMap(({ waiting }) => waiting.map(row)),
    ...Array.from(set.executingTickets(), (ticket) => row(ticket, -1)),
  ];
}

function detailsOf({ asked: { info, user } }: Ticket): readonly string[] {
  if (info.type === "path") return [user.name, info.verb, info.path, "", "", "", "", ""];
  const { verb, path, namespace, name, group, version, resource, subresource } = info;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return [user.name, verb, path, namespace, name, apiVersion, resource, subresource];
}
