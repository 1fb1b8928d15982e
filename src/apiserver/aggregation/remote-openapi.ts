import type { Logger, Milliseconds } from "../../base/index.ts";
import type { RemoteOpenApi, Swagger } from "../openapi/index.ts";
import { fetchDocument, type FetchParts } from "./fetch-document.ts";
import { KeptByApi } from "./kept-by-api.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";

const refreshInterval: Milliseconds = 60_000;
const fetchTimeout: Milliseconds = 60_000;

interface Described {
  readonly swagger?: Swagger | undefined;
  /** The tag that the server gave it. */
  readonly etag?: string | undefined;
  readonly address?: string | undefined;
  /** The server knows no version 3. */
  readonly isTranslated?: boolean | undefined;
}

interface Asked {
  readonly api: RemoteApi;
  readonly before: Described | undefined;
  readonly signal: AbortSignal;
}

/** What extension servers' OpenAPI says, as they told last. */
export class RemoteOpenApis {
  private readonly apis: RegisteredApis;
  private readonly kept: KeptByApi<Described>;

  constructor(apis: RegisteredApis, parts: FetchParts & { readonly logger: Logger }) {
    this.apis = apis;
    this.kept = new KeptByApi<Described>({
      apis,
      clock: parts.clock,
      interval: refreshInterval,
      isSame: (one, other) =>
        one.swagger === other.swagger &&
        one.address === other.address &&
        one.isTranslated === other.isTranslated,
      ask: async (api, { before, signal }) => {
        if (!api.available) return before ?? {};
        try {
          const [two, three] = await Promise.all([
            fetchSwagger(parts, { api, before, signal }),
            fetchAddress(parts, { api, before, signal }),
          ]);
          return { ...two, ...three };
        } catch (error) {
          if (!signal.aborted) {
            parts.logger.info("An extension server has no OpenAPI to read", { api: api.name, error });
          }
          return before ?? {};
        }
      },
    });
  }

  documents(): readonly RemoteOpenApi[] {
    return this.apis.all().map((api) => {
      const { swagger, address, isTranslated } = this.kept.get(api) ?? {};
      return { group: api.group, version: api.version, swagger, address, isTranslated };
    });
  }

  /** Whether the server has a document of version 3 of its own. */
  hasDocument(api: RemoteApi): boolean {
    return this.kept.get(api)?.address !== undefined;
  }

  onChange(listener: () => void): () => void {
    return this.kept.onChange(listener);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.kept.run(signal);
  }
}

const rootOf = ({ group, version }: RemoteApi) =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

async function fetchSwagger(
  parts: FetchParts,
  { api, before, signal }: Asked,
): Promise<Pick<Described, "swagger" | "etag">> {
  const path = "/openapi/v2";
  const accept = "application/json";
  const asked = { api, signal, path, accept, etag: before?.etag, timeout: fetchTimeout };
  const { status, headers, value } = await fetchDocument(parts, asked);
  if (status === 304) return { swagger: before?.swagger, etag: before?.etag };
  if (status === 404) return {};
  if (status !== 200) throw new Error(`failed to download ${path}: ${status}`);
  const { swaggerBelow } = await import("../openapi/index.ts");
  const swagger = swaggerBelow(value, `/${rootOf(api)}/`);
  // Servers without tags tell the same again and again.
  const isKnown = JSON.stringify(swagger) === JSON.stringify(before?.swagger);
  return { swagger: isKnown ? before?.swagger : swagger, etag: headers.etag };
}

async function fetchAddress(
  parts: FetchParts,
  { api, signal }: Asked,
): Promise<Pick<Described, "address" | "isTranslated">> {
  const path = "/openapi/v3";
  const asked = { api, signal, path, accept: "application/json", timeout: fetchTimeout };
  const { status, value } = await fetchDocument(parts, asked);
  if (status === 404) return { isTranslated: true };
  if (status !== 200) throw new Error(`failed to download ${path}: ${status}`);
  const { paths = {} } = (value ?? {}) as { readonly paths?: Readonly<Record<string, unknown>> };
  const entry = paths[rootOf(api)] as { readonly serverRelativeURL?: unknown } | undefined;
  return typeof entry?.serverRelativeURL === "string" ? { address: entry.serverRelativeURL } : {};
}
