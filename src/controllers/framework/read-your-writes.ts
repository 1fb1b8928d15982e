import type { Clock, Milliseconds } from "../../base/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";

const longestWait: Milliseconds = 30_000;

/**
 * Waits until the informer shows what was just written, so that the next reconciliation of the key does not act on
 * the past. In place of upstream's counted expectations. Gives up after 30 s: the watch is then in trouble, and
 * reconciling with what is there is the best that can be done.
 */
export async function observed<T extends KubernetesObject>(
  informer: SharedInformer<T>,
  written: { readonly stored?: readonly T[]; readonly deleted?: readonly T[] },
  context: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  let stored = written.stored ?? [];
  let deleted = written.deleted ?? [];
  const shown = () => {
    stored = stored.filter((object) => !showsStored(informer, object));
    deleted = deleted.filter((object) => !showsDeleted(informer, object));
    return stored.length === 0 && deleted.length === 0;
  };
  // A signal that aborted before tells nobody again.
  if (context.signal.aborted || shown()) return;
  const limit = new AbortController();
  const end = () => limit.abort();
  const timer = context.clock.after(longestWait, end);
  context.signal.addEventListener("abort", end, { once: true });
  try {
    await informer.until(shown, limit.signal);
  } catch (error) {
    if (!limit.signal.aborted) throw error;
  } finally {
    timer.cancel();
    context.signal.removeEventListener("abort", end);
  }
}

function showsStored<T extends KubernetesObject>(informer: SharedInformer<T>, object: T): boolean {
  const wanted = Number(object.metadata.resourceVersion);
  if (Number(informer.resourceVersion) >= wanted) return true;
  return Number(informer.get(keyOf(object))?.metadata.resourceVersion ?? -1) >= wanted;
}

function showsDeleted<T extends KubernetesObject>(informer: SharedInformer<T>, object: T): boolean {
  const current = informer.get(keyOf(object));
  return (
    current === undefined ||
    current.metadata.uid !== object.metadata.uid ||
    current.metadata.deletionTimestamp !== undefined
  );
}
