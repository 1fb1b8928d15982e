import { type Mvcc, type Revision } from "../../store/index.ts";

/** As etcd counts before any compaction. */
const none = -1;

/** Compactions as etcd has them, where one to revision 0 is the first of all and forgets nothing. */
export class Compactions {
  private readonly store: Mvcc;
  private isBegun = false;

  constructor(store: Mvcc) {
    this.store = store;
  }

  /** The last revision that was compacted to. */
  get revision(): Revision {
    return this.store.compactedRevision > 0 || this.isBegun ? this.store.compactedRevision : none;
  }

  async through(revision: Revision): Promise<void> {
    if (revision === 0 && this.revision === none) this.isBegun = true;
    else await this.store.compact(revision);
  }
}
