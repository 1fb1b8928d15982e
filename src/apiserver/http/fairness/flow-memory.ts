import type { UserInfo } from "../../../api/index.ts";
import type { RequestInfo } from "../request-info.ts";

/** Answers that are remembered. */
const capacity = 4_096;

interface Remembered<Flow> {
  readonly group: string;
  readonly subresource: string;
  readonly flow: Flow;
}

/** By resource, or path, and verb and namespace. Strings that requests have at hand: nothing is put together. */
type Flows<Flow> = Map<string, Map<string, Map<string, Remembered<Flow>[]>>>;

/** To which flow the requests of a user for the same belong. */
export class FlowMemory<Flow> {
  private readonly byName = new Map<string, Flows<Flow>>();
  /** Whoever comes over one connection is the same object: found without a look at the groups. */
  private byUser = new WeakMap<UserInfo, Flows<Flow>>();
  private size = 0;

  get(info: RequestInfo, user: UserInfo): Flow | undefined {
    const flows = this.byUser.get(user) ?? this.flowsFor(user);
    if (info.type === "path") return flows.get(info.path)?.get(info.verb)?.get("")?.[0]?.flow;
    const alike = flows.get(info.resource)?.get(info.verb)?.get(info.namespace);
    if (!alike) return undefined;
    for (const { group, subresource, flow } of alike) {
      if (group === info.group && subresource === info.subresource) return flow;
    }
    return undefined;
  }

  keep(flow: Flow, { info, user }: { readonly info: RequestInfo; readonly user: UserInfo }): Flow {
    if (this.size >= capacity) this.clear();
    this.size += 1;
    const [subject, namespace, group, subresource] =
      info.type === "path"
        ? [info.path, "", "", ""]
        : [info.resource, info.namespace, info.group, info.subresource];
    const verbs = entryOf(
      this.flowsFor(user),
      subject,
      () => new Map<string, Map<string, Remembered<Flow>[]>>(),
    );
    const namespaces = entryOf(verbs, info.verb, () => new Map<string, Remembered<Flow>[]>());
    entryOf(namespaces, namespace, (): Remembered<Flow>[] => []).push({ group, subresource, flow });
    return flow;
  }

  clear(): void {
    this.byName.clear();
    this.byUser = new WeakMap();
    this.size = 0;
  }

  private flowsFor(user: UserInfo): Flows<Flow> {
    const flows = entryOf(this.byName, `${user.name} ${user.groups.join()}`, (): Flows<Flow> => new Map());
    this.byUser.set(user, flows);
    return flows;
  }
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
