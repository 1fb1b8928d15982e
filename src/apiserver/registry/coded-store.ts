import type {
  Change,
  Key,
  LeaseId,
  Page,
  PastChanges,
  Revision,
  Store,
  Versioned,
  Write,
} from "../../store/index.ts";
import type { StoredForm } from "./stored-form.ts";

/** A store whose values are JSON to those who use it, whatever they are in the store below. */
export class CodedStore implements Store {
  readonly subscribe?: NonNullable<Store["subscribe"]>;
  readonly currentRevision?: () => Promise<Revision>;
  private readonly store: Store;
  private readonly form: StoredForm;

  constructor(store: Store, form: StoredForm) {
    this.store = store;
    this.form = form;
    if (store.subscribe) {
      this.subscribe = (prefix, onChange) =>
        store.subscribe!(prefix, (changes) => onChange(this.changed(changes)));
    }
    if (store.currentRevision) this.currentRevision = () => store.currentRevision!();
  }

  get revision(): Revision {
    return this.store.revision;
  }

  get compactedRevision(): Revision {
    return this.store.compactedRevision;
  }

  get problem(): string | undefined {
    return this.store.problem;
  }

  commit(write: Write): Promise<Revision> {
    const { encode } = this.form;
    if (!encode || write.type === "delete") return this.store.commit(write);
    return this.store.commit({ ...write, value: encode(write.value) });
  }

  async get(key: Key, options?: { readonly at?: Revision }): Promise<Versioned | undefined> {
    const found = await this.store.get(key, options);
    return found && this.read(found);
  }

  async list(prefix: Key, options?: Parameters<Store["list"]>[1]): Promise<Page> {
    const page = await this.store.list(prefix, options);
    return { ...page, items: page.items.flatMap((item) => this.read(item) ?? []) };
  }

  async changes(prefix: Key, options: Parameters<Store["changes"]>[1]): Promise<PastChanges> {
    const past = await this.store.changes(prefix, options);
    return { ...past, changes: past.changes.flatMap((change) => this.readWhole(change) ?? []) };
  }

  async *watch(prefix: Key, options: Parameters<Store["watch"]>[1]): AsyncGenerator<readonly Change[], void> {
    for await (const changes of this.store.watch(prefix, options)) yield this.changed(changes);
  }

  compact(through: Revision): Promise<void> {
    return this.store.compact(through);
  }

  grantLease(ttl: number): Promise<LeaseId> {
    return this.store.grantLease(ttl);
  }

  keepLeaseAlive(lease: LeaseId): Promise<void> {
    return this.store.keepLeaseAlive(lease);
  }

  revokeLease(lease: LeaseId): Promise<void> {
    return this.store.revokeLease(lease);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private read(item: Versioned): Versioned | undefined {
    const value = this.form.decode(item.key, item.value);
    if (value === item.value) return item;
    return value && { ...item, value };
  }

  /** What was there before stays as it is stored: caches know it. */
  private changed(changes: readonly Change[]): readonly Change[] {
    const read = changes.flatMap((change) => this.readCurrent(change) ?? []);
    return read.every((change, index) => change === changes[index]) ? changes : read;
  }

  private readCurrent(change: Change): Change | undefined {
    if (change.type === "delete") return change;
    const current = this.read(change.current);
    return current === change.current ? change : current && { ...change, current };
  }

  private readWhole(change: Change): Change | undefined {
    const previous = change.previous && this.read(change.previous);
    if (change.type === "delete") return previous && { ...change, previous };
    const current = this.read(change.current);
    return current && { ...change, current, previous };
  }
}
