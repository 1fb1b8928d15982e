import type { KubernetesObject } from "../../../apimachinery/index.ts";
import { semanticallyEqual } from "../../../api/index.ts";
import type { AdmissionRequest } from "../plugin.ts";

/** What of a plugin that changes objects has to run once more when something changes after it; kept for the second round. */
export class Reinvocation {
  /** What has run and wants to run again when something changes after it. */
  readonly #called = new Set<string>();
  /** That of it after which something has changed. */
  readonly #due = new Set<string>();
  #output: KubernetesObject | undefined;

  private constructor() {}

  /** The plugin's own for a request; when its second round begins, what has changed between the rounds counts. */
  static of({ rounds, object }: AdmissionRequest, plugin: string): Reinvocation {
    const known = rounds?.kept.get(plugin) as Reinvocation | undefined;
    const own = known ?? new Reinvocation();
    rounds?.kept.set(plugin, own);
    if (rounds?.current === 1 && !semanticallyEqual(own.#output, object)) own.#requireAgain();
    return own;
  }

  /** Whether it is to run in this round. */
  isDue(id: string, { rounds }: AdmissionRequest): boolean {
    return rounds?.current !== 1 || this.#due.has(id);
  }

  /** Something has changed: a second round is needed, and in it all that has run and wants to know. */
  changed({ rounds }: AdmissionRequest): void {
    this.#requireAgain();
    if (rounds) rounds.wantsSecond = true;
  }

  /** It has run, and wants to again. */
  called(id: string): void {
    this.#called.add(id);
  }

  /** What the plugin made of the object. */
  ended(output: KubernetesObject | undefined): void {
    this.#output = output;
  }

  #requireAgain(): void {
    for (const id of this.#called) this.#due.add(id);
    this.#called.clear();
  }
}
