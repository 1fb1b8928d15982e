import type { Compilation, Environment } from "./environment.ts";

/** Programs that are kept unless a cache says otherwise; each is some kilobytes. */
const defaultCapacity = 1_000;

/** Keeps what environments compiled; what has not been used for longest goes first. */
export class CelCache {
  readonly #capacity: number;
  readonly #environments = new WeakMap<Environment, number>();
  readonly #compilations = new Map<string, Compilation>();
  #known = 0;

  constructor(options?: { readonly capacity?: number }) {
    this.#capacity = options?.capacity ?? defaultCapacity;
  }

  /** Compiles, or answers what was compiled before. */
  compile(environment: Environment, source: string): Compilation {
    const key = `${this.#numberOf(environment)} ${source}`;
    const known = this.#compilations.get(key);
    const compilation = known ?? environment.compile(source);
    this.#compilations.delete(key);
    this.#compilations.set(key, compilation);
    if (this.#compilations.size > this.#capacity) {
      this.#compilations.delete(this.#compilations.keys().next().value as string);
    }
    return compilation;
  }

  #numberOf(environment: Environment): number {
    const known = this.#environments.get(environment);
    if (known !== undefined) return known;
    this.#environments.set(environment, ++this.#known);
    return this.#known;
  }
}
