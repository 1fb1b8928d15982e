import type { Element } from "./elements.ts";

/** What changes in the table; removals go first, since a changed value is both. */
export interface ElementChanges {
  readonly removals: readonly Element[];
  readonly additions: readonly Element[];
}

/**
 * What services want in the table and what of it is in force. Services can want one element together (a pod behind
 * two of them), or different values at one key (the same external address): the first by name has it.
 */
export class Claims {
  private readonly byElement = new Map<string, Map<string, Element>>();
  private readonly byService = new Map<string, ReadonlySet<string>>();
  private readonly touched = new Set<string>();
  private inForce = new Map<string, Element>();

  /** Replaces what a service wants. */
  replace(service: string, elements: readonly Element[]): void {
    const wanted = new Map(elements.map((element) => [`${element.set} ${element.key}`, element]));
    for (const id of this.byService.get(service) ?? []) {
      this.touched.add(id);
      if (!wanted.has(id)) this.drop(id, service);
    }
    for (const [id, element] of wanted) {
      this.touched.add(id);
      const claimants = this.byElement.get(id);
      if (claimants) claimants.set(service, element);
      else this.byElement.set(id, new Map([[service, element]]));
    }
    if (wanted.size > 0) this.byService.set(service, new Set(wanted.keys()));
    else this.byService.delete(service);
  }

  /** What brings the table in step with what is wanted since the last `settle`. */
  changes(): ElementChanges {
    const removals: Element[] = [];
    const additions: Element[] = [];
    for (const id of this.touched) {
      const before = this.inForce.get(id);
      const after = this.winner(id);
      if (before && after && before.value === after.value) continue;
      if (before) removals.push(before);
      if (after) additions.push(after);
    }
    return { removals, additions };
  }

  /** Notes that the changes are in force. */
  settle({ removals, additions }: ElementChanges): void {
    for (const { set, key } of removals) this.inForce.delete(`${set} ${key}`);
    for (const element of additions) this.inForce.set(`${element.set} ${element.key}`, element);
    this.touched.clear();
  }

  /** Notes that the table is empty: all that is wanted has to be added. */
  forget(): void {
    this.inForce = new Map();
    for (const id of this.byElement.keys()) this.touched.add(id);
  }

  private winner(id: string): Element | undefined {
    const claimants = this.byElement.get(id);
    if (!claimants) return undefined;
    if (claimants.size === 1) return claimants.values().next().value;
    return claimants.get([...claimants.keys()].reduce((one, other) => (other < one ? other : one)));
  }

  private drop(id: string, service: string): void {
    const claimants = this.byElement.get(id);
    claimants?.delete(service);
    if (claimants?.size === 0) this.byElement.delete(id);
  }
}
