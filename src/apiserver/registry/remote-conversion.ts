import { invariant } from "../../base/index.ts";
import type { Entry, AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";

/**
 * Conversion between versions by someone outside who must be asked. What is asked for beforehand can be had at once,
 * so that all that works with objects need not wait.
 */
export interface RemoteConversion {
  /**
   * What must be waited for until stored objects can be shown; undefined when they can. `anew` asks again for what was
   * asked for before. Rejects with the API's error.
   */
  untilShown(objects: readonly AnyObject[], options?: { readonly anew?: boolean }): Promise<void> | undefined;
  /** What must be waited for until an object of this version can be stored; undefined when it can. */
  untilStorable(object: AnyObject): Promise<void> | undefined;
  /** What must be waited for until objects can be had as of another version; undefined when they can. */
  until(objects: readonly AnyObject[], apiVersion: string): Promise<void> | undefined;
  /** An object as of another version. Throws `Unconverted`. */
  as(object: AnyObject, apiVersion: string): AnyObject;
}

/** An object is wanted in a version for which nobody has asked yet. */
export class Unconverted extends Error {
  override readonly name = "Unconverted";
  readonly convert: () => Promise<void>;

  constructor(convert: () => Promise<void>) {
    super("an object has not been converted yet");
    this.convert = convert;
  }
}

/** What must be waited for until entries can be shown in the version; undefined nearly always. */
export function untilShown(
  { remote }: Pick<ServedResource, "remote">,
  entries: readonly Pick<Entry, "object">[],
): Promise<void> | undefined {
  return remote?.untilShown(entries.map(({ object }) => object));
}

/** Gives each value that it has seen the identity in which it saw it first. */
export type Identify = (object: AnyObject) => AnyObject;

/** Conversions that one piece of work may need: some for each version in which managers wrote. */
const mostConversions = 256;

/**
 * What pure work comes to. Where a conversion turns out to be missing the work begins again once it is there; `identify`
 * lets it recognize what it makes anew each time. Undefined where nobody has to be asked.
 */
export function whenConverted<T>(
  { remote }: Pick<ServedResource, "remote">,
  work: (identify: Identify | undefined) => T,
): T | Promise<T> {
  return remote === undefined ? work(undefined) : repeated(work);
}

/** What work without effects comes to that may need conversions of any resource; a promise only where it does. */
export function onceConverted<T>(work: () => T): T | Promise<T> {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Unconverted)) throw error;
    return error.convert().then(() => repeated(work));
  }
}

async function repeated<T>(work: (identify: Identify) => T): Promise<T> {
  const known = new Map<string, AnyObject>();
  const identify: Identify = (object) => {
    const text = JSON.stringify(object);
    const same = known.get(text) ?? object;
    known.set(text, same);
    return same;
  };
  for (let conversions = 0; ; conversions++) {
    try {
      return work(identify);
    } catch (error) {
      if (!(error instanceof Unconverted)) throw error;
      invariant(conversions < mostConversions, "work asks for ever more conversions");
      await error.convert();
    }
  }
}
