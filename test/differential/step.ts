/** One request of a sequence, as data. `${name}` in path, headers and body stands for a captured value. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Values of the answer to be kept, by name: a path into its body, as `metadata.resourceVersion`. */
  readonly capture?: Readonly<Record<string, string>>;
  /** The answer is sent for its effect and not compared. */
  readonly silent?: boolean;
  /** Asks again until the answer has this value: what a controller does takes its time. */
  readonly until?: { readonly path: string; readonly is: string };
}

/** Requests that are sent one after the other. */
export interface Sequence {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A namespace of a sequence's own, in which pods can be created. */
export const ownNamespace = (name: string): readonly Step[] => [
  post("/api/v1/namespaces", { metadata: { name } }, { silent: true }),
  post(
    inNamespace("serviceaccounts", name),
    { metadata: { name: "default" }, automountServiceAccountToken: false },
    { silent: true },
  ),
];

type Options = Omit<Step, "method" | "path" | "body">;

export const namespace = "differential";
export const inNamespace = (rest: string, name: string = namespace) => `/api/v1/namespaces/${name}/${rest}`;

export const get = (path: string, options: Options = {}): Step => ({ method: "GET", path, ...options });
export const post = (path: string, body: unknown, options: Options = {}): Step => ({
  method: "POST",
  path,
  body,
  ...options,
});
export const put = (path: string, body: unknown, options: Options = {}): Step => ({
  method: "PUT",
  path,
  body,
  ...options,
});
export const remove = (path: string, body?: unknown, options: Options = {}): Step => ({
  method: "DELETE",
  path,
  ...(body === undefined ? {} : { body }),
  ...options,
});

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export const patch = (
  path: string,
  type: keyof typeof patchTypes,
  { body, ...options }: Options & { readonly body: unknown },
): Step => ({
  method: "PATCH",
  path,
  body,
  ...options,
  headers: { "content-type": patchTypes[type], ...options.headers },
});

export const accept = (type: string) => ({ headers: { accept: type } });
export const tableOf = accept("application/json;as=Table;v=v1;g=meta.k8s.io");
export const metadataOf = accept("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
export const metadataListOf = accept("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
