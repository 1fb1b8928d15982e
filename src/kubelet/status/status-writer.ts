import type { Clock, Logger } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PodStatus } from "../../api/types/core-v1.ts";
import { ownConditions } from "./conditions.ts";

const retryDelay = 1000;

/** Sends one pod's status: only when it has changed, the newest only, one request at a time. */
export class StatusWriter {
  private readonly options: { client: Client; clock: Clock; logger: Logger; signal: AbortSignal };
  private readonly pod: { name: string; namespace: string | undefined; uid: string | undefined };
  private lastSent: PodStatus | undefined;
  private next: PodStatus | undefined;
  private sending: Promise<void> | undefined;

  constructor(pod: Pod, options: { client: Client; clock: Clock; logger: Logger; signal: AbortSignal }) {
    const { name, namespace, uid } = pod.metadata;
    this.pod = { name, namespace, uid };
    this.options = options;
    this.lastSent = pod.status;
  }

  /** The last status that was set, sent or not. */
  get current(): PodStatus | undefined {
    return this.next ?? this.lastSent;
  }

  set(status: PodStatus): void {
    if (this.next === undefined && sameValue(status, this.lastSent)) return;
    this.next = status;
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  /** Settles when everything has been sent. */
  async flush(): Promise<void> {
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    const { clock, logger, signal } = this.options;
    while (this.next !== undefined && !signal.aborted) {
      const status = this.next;
      try {
        await this.send(status);
        this.lastSent = status;
        if (this.next === status) this.next = undefined;
      } catch (error) {
        if (ApiError.is(error, "NotFound") || ApiError.is(error, "Conflict")) {
          this.next = undefined;
          return;
        }
        logger.warn("cannot send a pod's status", { pod: this.pod.name, error });
        await clock.sleep(retryDelay, signal).catch(() => undefined);
      }
    }
  }

  private async send(status: PodStatus): Promise<void> {
    const { uid, namespace, name } = this.pod;
    const body = { metadata: { uid }, status: statusPatch(this.lastSent ?? {}, status) };
    await this.options.client.patch(
      Pod,
      { namespace, name },
      { type: "strategic", body },
      { subresource: "status", signal: this.options.signal },
    );
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The lists of a status that a patch merges, by what tells their elements apart. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: "type",
  podIPs: "ip",
  hostIPs: "ip",
  resourceClaimStatuses: "name",
};

/** Fields that the kubelet alone sets and that may go again. */
const ownFields = ["reason", "message", "podIP", "podIPs"];

/** The strategic merge patch that makes the new status of the old one, and sets all that the new one says. */
export function statusPatch(before: PodStatus, after: PodStatus): Fields {
  const [old, wanted] = [before as Fields, after as Fields];
  const own = Object.fromEntries(ownFields.map((key) => [key, old[key]]));
  const patch: Record<string, unknown> = withNulls(own, wanted);
  for (const [list, key] of Object.entries(mergeKeys)) {
    const elements = wanted[list] as readonly Fields[] | undefined;
    if (elements === undefined) continue;
    const present = (old[list] ?? []) as readonly Fields[];
    const named = (name: unknown) => (element: Fields) => element[key] === name;
    const gone = present.filter((element) => !elements.some(named(element[key])));
    patch[list] = [
      ...elements.flatMap((element) => {
        const last = present.find(named(element[key])) ?? {};
        // What others set is theirs: it may have changed since it was seen.
        const isOthers = sameValue(last, element) && !ownConditions.has(element[key] as string);
        return isOthers ? [] : [withNulls(last, element)];
      }),
      ...gone.map((element) => ({ $patch: "delete", [key]: element[key] })),
    ];
    patch[`$setElementOrder/${list}`] = elements.map((element) => ({ [key]: element[key] }));
  }
  return patch;
}

const isSet = (value: unknown) => value !== undefined && value !== null;

/** The fields, with nulls for those that are no more. */
function withNulls(before: Fields, after: Fields): Record<string, unknown> {
  const gone = Object.keys(before).filter((key) => isSet(before[key]) && !isSet(after[key]));
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...after };
}

/** Whether two JSON values say the same; a null says as much as an absent field. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right || (left ?? undefined) === (right ?? undefined)) return true;
  if (typeof left !== "object" || typeof right !== "object" || !left || !right) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => sameValue(one[key], other[key]));
}
