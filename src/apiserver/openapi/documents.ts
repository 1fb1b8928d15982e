import type { GroupVersionKind, JsonObject, SchemaRegistry } from "../../apimachinery/index.ts";
import type { ServedResource } from "../discovery/index.ts";
import { addCustomKind, customName, type CustomSchemas } from "./custom.ts";
import { grouped } from "./grouped.ts";
import { Definitions, type Dialect, type GroupVersion } from "./definitions.ts";
import { operationsOf, type Operation, type QueryParameter } from "./operations.ts";

export interface DocumentOptions {
  readonly resources: readonly ServedResource[];
  readonly schemas: SchemaRegistry;
  readonly custom: CustomSchemas;
  /** All group versions served, also when the document is of one. */
  readonly served: readonly GroupVersion[];
  /** Documents that are no resources. */
  readonly roots: Iterable<Operation>;
  /** `v1.36.0`. */
  readonly version: string;
  /** Whether clients may speak CBOR. */
  readonly cbor: boolean;
  /** Lets others have their turn: a document of everything takes long. */
  readonly pause: () => Promise<void>;
}

const metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";
const mediaTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const streamTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
/** Their order in a path. */
const methods = ["get", "put", "post", "delete", "options", "head", "patch"] as const;
const security = {
  BearerToken: {
    description: "Bearer Token authentication",
    in: "header",
    name: "authorization",
    type: "apiKey",
  },
};

/** `/openapi/v2`: one document of everything. */
export async function openApiV2(options: DocumentOptions): Promise<JsonObject> {
  const { paths, definitions } = await build(options, "v2");
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: options.version },
    paths,
    definitions: definitions.sorted(),
    securityDefinitions: security,
    security: [{ BearerToken: [] }],
  };
}

/** A document of `/openapi/v3`: of one group version. */
export async function openApiV3(options: DocumentOptions): Promise<JsonObject> {
  const { paths, definitions } = await build(options, "v3");
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: options.version },
    paths,
    components: { schemas: definitions.sorted(), securitySchemes: security },
  };
}

async function build(
  options: DocumentOptions,
  dialect: Dialect,
): Promise<{ paths: JsonObject; definitions: Definitions }> {
  const definitions = new Definitions({ schemas: options.schemas, dialect, served: options.served });
  const writer = new OperationWriter(options, definitions, dialect);
  for (const name of ["Status", "WatchEvent", "DeleteOptions"])
    definitions.reference(`${metaPackage}.${name}`);
  const parts = [[...options.roots], ...options.resources.map((each) => operationsOf(each, options.schemas))];
  const paths: [string, JsonObject][] = [];
  for (const operations of parts) {
    for (const [path, members] of grouped(operations, (operation) => operation.path))
      paths.push([path, writer.path(path, members)]);
    await options.pause();
  }
  paths.sort(([a], [b]) => (a < b ? -1 : 1));
  return { paths: Object.fromEntries(paths), definitions };
}

const nameOf = ({ name }: JsonObject): string => (typeof name === "string" ? name : "");

const byName = (a: JsonObject, b: JsonObject): number => (nameOf(a) < nameOf(b) ? -1 : 1);

class OperationWriter {
  readonly #options: DocumentOptions;
  readonly #definitions: Definitions;
  readonly #dialect: Dialect;

  constructor(options: DocumentOptions, definitions: Definitions, dialect: Dialect) {
    this.#options = options;
    this.#definitions = definitions;
    this.#dialect = dialect;
  }

  /** The operations of a path; parameters that all of them have stand beside them. */
  path(path: string, operations: readonly Operation[]): JsonObject {
    const [first, ...others] = operations;
    const shared = (first?.query ?? []).filter((parameter) =>
      others.every(({ query }) => query.includes(parameter)),
    );
    const written = methods.flatMap((method): [string, JsonObject][] => {
      const operation = operations.find((candidate) => candidate.method === method);
      return operation === undefined ? [] : [[method, this.#operation(operation, shared)]];
    });
    const parameters = [
      ...this.#pathParameters(path, operations),
      ...shared.map((each) => this.#query(each)),
    ];
    parameters.sort(byName);
    return { ...Object.fromEntries(written), ...(parameters.length > 0 ? { parameters } : {}) };
  }

  #pathParameters(path: string, operations: readonly Operation[]): readonly JsonObject[] {
    const texts: Readonly<Record<string, string>> = {
      name: `Name of the ${operations[0]?.kind?.kind ?? "object"}.`,
      namespace: "Namespace of the object.",
      path: "Path behind the resource.",
    };
    return Object.entries(texts)
      .filter(([name]) => path.includes(`{${name}}`))
      .map(([name, description]) => this.#typed({ name, in: "path", required: true, description }, "string"));
  }

  #operation(operation: Operation, shared: readonly QueryParameter[]): JsonObject {
    const { kind, action } = operation;
    const own = operation.query.filter((parameter) => !shared.includes(parameter));
    const query = own.map((parameter) => this.#query(parameter)).sort(byName);
    const produces = this.#produced(operation);
    const { tag, id: operationId, description } = operation;
    const head =
      this.#dialect === "v2"
        ? {
            description,
            ...this.#consumed(operation),
            produces,
            schemes: ["https"],
            tags: [tag],
            operationId,
          }
        : { tags: [tag], description, operationId };
    return {
      ...head,
      ...this.#input(operation, query),
      responses: this.#responses(operation, produces),
      ...(action === undefined ? {} : { "x-kubernetes-action": action }),
      ...(kind === undefined
        ? {}
        : {
            "x-kubernetes-group-version-kind": { group: kind.group, kind: kind.kind, version: kind.version },
          }),
    };
  }

  #produced({ answer, path }: Operation): readonly string[] {
    const objects = this.#options.cbor ? [...mediaTypes, "application/cbor"] : mediaTypes;
    switch (answer) {
      case "text":
        return ["*/*"];
      case "log":
        return ["text/plain", ...objects];
      case "configuration":
        return ["application/json"];
      case "keys":
        return ["application/jwk-set+json"];
      case "list":
      case "watch":
        return [...objects, ...streamTypes, ...(this.#options.cbor ? ["application/cbor-seq"] : [])];
      default:
        return path === "/version/" ? ["application/json"] : objects;
    }
  }

  #consumed(operation: Operation): JsonObject {
    const { answer, body, kind } = operation;
    if (answer === "configuration" || answer === "keys") return {};
    if (kind === undefined) return { consumes: this.#produced(operation) };
    return { consumes: body === "patch" ? this.#patchTypes() : ["*/*"] };
  }

  #patchTypes(): readonly string[] {
    return this.#options.cbor ? [...patchTypes, "application/apply-patch+cbor"] : patchTypes;
  }

  #query(parameter: QueryParameter): JsonObject {
    const { name, type, description } = parameter;
    return this.#typed({ description, name, in: "query" }, type);
  }

  #typed(parameter: JsonObject, type: string): JsonObject {
    if (this.#dialect === "v2") return { uniqueItems: true, type, ...parameter };
    return { ...parameter, schema: { type, uniqueItems: true } };
  }

  #input(operation: Operation, query: readonly JsonObject[]): JsonObject {
    const { body } = operation;
    if (body === undefined) return query.length === 0 ? {} : { parameters: query };
    const required = body !== "deleteOptions";
    const schema =
      body === "patch"
        ? this.#definitions.reference(`${metaPackage}.Patch`)
        : body === "deleteOptions"
          ? this.#definitions.reference(`${metaPackage}.DeleteOptions`)
          : this.#kind(body);
    if (this.#dialect === "v2") {
      const parameter = { name: "body", in: "body", ...(required ? { required } : {}), schema };
      return { parameters: [parameter, ...query] };
    }
    const types = body === "patch" ? this.#patchTypes() : ["*/*"];
    const content = Object.fromEntries(types.map((type) => [type, { schema }]));
    return { parameters: query, requestBody: { content, ...(required ? { required } : {}) } };
  }

  #responses(operation: Operation, types: readonly string[]): JsonObject {
    const schema = this.#answer(operation);
    const words = { 200: "OK", 201: "Created", 202: "Accepted" } as const;
    const answers = operation.codes.map((code): [string, JsonObject] => {
      const description = words[code];
      if (this.#dialect === "v2") return [String(code), { description, schema }];
      const content = Object.fromEntries(types.map((type) => [type, { schema }]));
      return [String(code), { description, content }];
    });
    return Object.fromEntries([...answers, ["401", { description: "Unauthorized" }]]);
  }

  #answer({ answer, kind }: Operation): JsonObject {
    const meta = (name: string) => this.#definitions.reference(`${metaPackage}.${name}`);
    if (answer === "status") return meta("Status");
    if (answer === "watch") return meta("WatchEvent");
    if (answer === "list" && kind) return this.#kind({ ...kind, kind: `${kind.kind}List` });
    if (typeof answer === "string") return { type: "string" };
    return "definition" in answer ? this.#definitions.reference(answer.definition) : this.#kind(answer);
  }

  #kind(kind: GroupVersionKind): JsonObject {
    const type = this.#options.schemas.typeOf(kind);
    if (type !== undefined) return this.#definitions.reference(type.name);
    const name = customName(kind);
    return addCustomKind({
      name,
      kind,
      schemas: this.#options.custom,
      definitions: this.#definitions,
      dialect: this.#dialect,
    });
  }
}
