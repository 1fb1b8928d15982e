import { expect, test } from "vitest";
import { translated } from "./translate.ts";

const reference = { $ref: "#/definitions/Flunder" };
const schema = { $ref: "#/components/schemas/Flunder" };

test("a document of version 2 in the form of version 3", () => {
  const document = translated({
    info: { title: "t", version: "v" },
    paths: {
      "/flunders/{name}": {
        parameters: [{ in: "path", name: "name", type: "string", uniqueItems: true, required: true }],
        put: {
          operationId: "replace",
          consumes: ["application/json", "application/yaml"],
          produces: ["application/json"],
          schemes: ["https"],
          parameters: [
            { in: "body", name: "body", required: true, schema: reference },
            { in: "query", name: "dryRun", description: "d", type: "string" },
          ],
          responses: { 200: { description: "OK", schema: reference }, 401: { description: "Unauthorized" } },
          "x-kubernetes-action": "put",
        },
      },
    },
    definitions: { Flunder: { type: "object", properties: { other: reference } } },
  });
  expect(document).toEqual({
    openapi: "3.0.0",
    info: { title: "t", version: "v" },
    paths: {
      "/flunders/{name}": {
        parameters: [
          { in: "path", name: "name", required: true, schema: { type: "string", uniqueItems: true } },
        ],
        put: {
          operationId: "replace",
          parameters: [{ in: "query", name: "dryRun", description: "d", schema: { type: "string" } }],
          requestBody: {
            required: true,
            content: { "application/json": { schema }, "application/yaml": { schema } },
          },
          responses: {
            200: { description: "OK", content: { "application/json": { schema } } },
            401: { description: "Unauthorized" },
          },
          "x-kubernetes-action": "put",
        },
      },
    },
    components: { schemas: { Flunder: { type: "object", properties: { other: schema } } } },
  });
});
