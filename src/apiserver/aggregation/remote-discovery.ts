import type { Logger, Milliseconds } from "../../base/index.ts";
import type { RemoteVersion } from "../discovery/index.ts";
import type { RemoteGroups } from "../http/index.ts";
import { fetchDocument, type FetchParts } from "./fetch-document.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";
import { discoveredFromGroups, discoveredFromList } from "./remote-resources.ts";

/** What nobody announces is noticed after this time at the latest. */
const refreshInterval: Milliseconds = 60_000;
const fetchTimeout: Milliseconds = 5_000;
const aggregatedAccept = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat("application/json")
  .join(",");

interface Known {
  /** For which the resources were asked. */
  readonly api: RemoteApi;
  readonly resources: readonly object[];
  readonly stale: boolean;
}

/** What extension servers serve, as they told last. */
export class RemoteDiscovery implements RemoteGroups {
  readonly priorities;
  private readonly parts: FetchParts & { readonly logger: Logger };
  private readonly apis: RegisteredApis;
  private readonly known = new Map<string, Known>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();

  constructor(apis: RegisteredApis, parts: FetchParts & { readonly logger: Logger }) {
    this.apis = apis;
    this.parts = parts;
    this.priorities = apis.priorities;
  }

  versions(): readonly RemoteVersion[] {
    return this.apis.all().map(({ name, group, version }) => {
      const { resources = [], stale = true } = this.known.get(name) ?? {};
      return { group, version, resources, stale };
    });
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Keeps what is known up to date until the signal aborts; settles when nothing is asked any more. */
  async run(signal: AbortSignal): Promise<void> {
    const end = this.apis.onChange(() => {
      this.refresh(signal, (api) => this.known.get(api.name)?.api !== api);
      this.changed();
    });
    while (!signal.aborted) {
      this.refresh(signal, () => true);
      await this.parts.clock.sleep(refreshInterval, signal).catch(() => undefined);
    }
    end();
    await Promise.all(this.running.values());
  }

  private changed(): void {
    for (const listener of Array.from(this.listeners)) listener();
  }

  private refresh(signal: AbortSignal, isDue: (api: RemoteApi) => boolean): void {
    const apis = this.apis.all();
    const present = new Set(apis.map(({ name }) => name));
    for (const name of Array.from(this.known.keys())) if (!present.has(name)) this.known.delete(name);
    for (const api of apis) {
      if (signal.aborted || !isDue(api) || this.running.has(api.name)) continue;
      const asking = this.ask(api, signal).finally(() => {
        this.running.delete(api.name);
        // It was registered anew meanwhile.
        const now = this.apis.find(api.group, api.version);
        if (now && now !== api) this.refresh(signal, (other) => other === now);
      });
      this.running.set(api.name, asking);
    }
  }

  private async ask(api: RemoteApi, signal: AbortSignal): Promise<void> {
    const before = this.known.get(api.name);
    let now: Known = { api, resources: before?.resources ?? [], stale: true };
    try {
      if (api.available) now = { api, resources: await this.fetch(api, signal), stale: false };
    } catch (error) {
      if (signal.aborted) return;
      this.parts.logger.info("An extension server does not tell what it serves", { api: api.name, error });
    }
    if (!this.apis.all().some(({ name }) => name === api.name)) return;
    this.known.set(api.name, now);
    const same =
      before?.stale === now.stale && JSON.stringify(before.resources) === JSON.stringify(now.resources);
    if (!same) this.changed();
  }

  private async fetch(api: RemoteApi, signal: AbortSignal): Promise<readonly object[]> {
    const common = { api, signal, timeout: fetchTimeout };
    const root = api.group === "" ? "/api" : "/apis";
    const whole = await fetchDocument(this.parts, { ...common, path: root, accept: aggregatedAccept });
    const type = whole.headers["content-type"] ?? "";
    if (whole.status === 200 && type.includes("g=apidiscovery.k8s.io")) {
      return discoveredFromGroups(whole.value, api) ?? [];
    }
    const path = api.group === "" ? `/api/${api.version}` : `/apis/${api.group}/${api.version}`;
    const list = await fetchDocument(this.parts, { ...common, path, accept: "application/json" });
    if (list.status === 200) return discoveredFromList(list.value);
    throw new Error(`failed to download discovery for ${path}: ${list.status}`);
  }
}
