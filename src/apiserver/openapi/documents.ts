import type { GroupVersionKind, JsonObject, SchemaRegistry } from "../../apimachinery/index.ts";
import type { ServedResource } from "../discovery/index.ts";
import { addCustomKind, customName, type CustomSchemas } from "./custom.ts";
import { Definitions, type Dialect, type GroupVersion } from "./definitions.ts";
import { operationsOf, type Operation, type QueryParameter } from "./operations.ts";

export interface DocumentOptions {
  readonly resources: readonly ServedResource[];
  readonly schemas: SchemaRegistry;
  readonly custom: CustomSchemas;
  /** All group versions served, also when the document is of one. */
  readonly served: readonly GroupVersion[];
  /** `v1.36.0`. */
  readonly version: string;
}

type Writable = Record<string, JsonObject[string]>;

const metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";
const mediaTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const patchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];
const security = {
  BearerToken: {
    description: "Bearer Token authentication",
    in: "header",
    name: "authorization",
    type: "apiKey",
  },
};

/** `/openapi/v2`: one document of everything. */
export function openApiV2(options: DocumentOptions): JsonObject {
  const { paths, definitions } = build(options, "v2");
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
export function openApiV3(options: DocumentOptions): JsonObject {
  const { paths, definitions } = build(options, "v3");
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: options.version },
    paths,
    components: { schemas: definitions.sorted(), securitySchemes: security },
  };
}

function build(options: DocumentOptions, dialect: Dialect): { paths: JsonObject; definitions: Definitions } {
  const definitions = new Definitions({ schemas: options.schemas, dialect, served: options.served });
  const writer = new OperationWriter(options, definitions, dialect);
  for (const name of ["Status", "WatchEvent", "DeleteOptions"])
    definitions.reference(`${metaPackage}.${name}`);
  const paths: Record<string, Writable> = {};
  for (const resource of options.resources) {
    for (const operation of operationsOf(resource, options.schemas)) {
      const path = (paths[operation.path] ??= { parameters: writer.pathParameters(operation.path) });
      path[operation.method] = writer.write(operation);
    }
  }
  const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
  return { paths: Object.fromEntries(sorted), definitions };
}

class OperationWriter {
  readonly #options: DocumentOptions;
  readonly #definitions: Definitions;
  readonly #dialect: Dialect;

  constructor(options: DocumentOptions, definitions: Definitions, dialect: Dialect) {
    this.#options = options;
    this.#definitions = definitions;
    this.#dialect = dialect;
  }

  pathParameters(path: string): readonly JsonObject[] {
    return ["name", "namespace"]
      .filter((name) => path.includes(`{${name}}`))
      .map((name) => {
        const description = name === "name" ? "Name of the object." : "Namespace of the object.";
        const parameter = { name, in: "path", required: true, description };
        return this.#typed(parameter, "string");
      });
  }

  write(operation: Operation): JsonObject {
    const { group, version, kind } = operation.kind;
    const query = operation.query.map((parameter) => this.#query(parameter));
    const isText = operation.answer === "text";
    const produces = isText ? ["*/*"] : mediaTypes;
    const watches =
      operation.answer === "list"
        ? ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]
        : [];
    return {
      description: operation.description,
      tags: [operation.tag],
      operationId: operation.id,
      ...(this.#dialect === "v2"
        ? {
            consumes: operation.body === "patch" ? patchTypes : ["*/*"],
            produces: [...produces, ...watches],
            schemes: ["https"],
          }
        : {}),
      ...this.#input(operation, query),
      responses: this.#responses(operation, [...produces, ...watches]),
      "x-kubernetes-action": operation.action,
      "x-kubernetes-group-version-kind": { group, kind, version },
    };
  }

  #query(parameter: QueryParameter): JsonObject {
    const { name, type, description } = parameter;
    return this.#typed({ name, in: "query", description }, type);
  }

  #typed(parameter: JsonObject, type: string): JsonObject {
    if (this.#dialect === "v2") return { ...parameter, type, uniqueItems: true };
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
    const types = body === "patch" ? patchTypes : ["*/*"];
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
    if (answer === "text") return { type: "string" };
    if (answer === "status") return this.#definitions.reference(`${metaPackage}.Status`);
    if (answer === "list") return this.#kind({ ...kind, kind: `${kind.kind}List` });
    return this.#kind(answer);
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
