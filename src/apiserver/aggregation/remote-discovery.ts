import type { Logger, Milliseconds } from "../../base/index.ts";
import type { RemoteVersion } from "../discovery/index.ts";
import { fetchDocument, type FetchParts } from "./fetch-document.ts";
import { KeptByApi } from "./kept-by-api.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";
import { discoveredFromGroups, discoveredFromList } from "./remote-resources.ts";

const refreshInterval: Milliseconds = 60_000;
const fetchTimeout: Milliseconds = 5_000;
const aggregatedAccept = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat("application/json")
  .join(",");

type Discovered = Pick<RemoteVersion, "resources" | "stale">;

/** What extension servers serve, as they told last. */
export class RemoteDiscovery {
  private readonly apis: RegisteredApis;
  private readonly kept: KeptByApi<Discovered>;

  constructor(apis: RegisteredApis, parts: FetchParts & { readonly logger: Logger }) {
    this.apis = apis;
    this.kept = new KeptByApi<Discovered>({
      apis,
      clock: parts.clock,
      interval: refreshInterval,
      isSame: (one, other) => JSON.stringify(one) === JSON.stringify(other),
      ask: async (api, { before, signal }) => {
        const old = { resources: before?.resources ?? [], stale: true };
        if (!api.available) return old;
        try {
          return { resources: await fetchResources(parts, { api, signal }), stale: false };
        } catch (error) {
          if (!signal.aborted) {
            parts.logger.info("An extension server does not tell what it serves", { api: api.name, error });
          }
          return old;
        }
      },
    });
  }

  versions(): readonly RemoteVersion[] {
    return this.apis.all().map((api) => {
      const { resources = [], stale = true } = this.kept.get(api) ?? {};
      return { group: api.group, version: api.version, resources, stale };
    });
  }

  /** Calls `listener` after each change of what is served, and of APIServices, which set the order. */
  onChange(listener: () => void): () => void {
    const ends = [this.apis.onChange(listener), this.kept.onChange(listener)];
    return () => {
      for (const end of ends) end();
    };
  }

  run(signal: AbortSignal): Promise<void> {
    return this.kept.run(signal);
  }
}

async function fetchResources(
  parts: FetchParts,
  { api, signal }: { readonly api: RemoteApi; readonly signal: AbortSignal },
): Promise<readonly object[]> {
  const common = { api, signal, timeout: fetchTimeout };
  const root = api.group === "" ? "/api" : "/apis";
  const whole = await fetchDocument(parts, { ...common, path: root, accept: aggregatedAccept });
  const type = whole.headers["content-type"] ?? "";
  if (whole.status === 200 && type.includes("g=apidiscovery.k8s.io")) {
    return discoveredFromGroups(whole.value, api) ?? [];
  }
  const path = api.group === "" ? `/api/${api.version}` : `/apis/${api.group}/${api.version}`;
  const list = await fetchDocument(parts, { ...common, path, accept: "application/json" });
  if (list.status === 200) return discoveredFromList(list.value);
  throw new Error(`failed to download discovery for ${path}: ${list.status}`);
}
