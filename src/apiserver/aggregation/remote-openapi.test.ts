import { afterEach, beforeEach, expect, test } from "vitest";
import { openAggregated, type Aggregated } from "./aggregation-suite.ts";

let at: Aggregated;
beforeEach(async () => {
  at = await openAggregated();
});
afterEach(() => at.close());

const key = "apis/wardle.example.com/v1alpha1";
const schema = { $ref: "#/definitions/Flunder" };
const flunder = { type: "object", description: "A flunder." };

/** Answers the documents with that tag. */
function describe(tag: string): void {
  at.answer = ({ url = "", headers }, response) => {
    if (url === "/openapi/v2" && headers["if-none-match"] === tag) response.writeHead(304);
    else
      response.writeHead(200, {
        "content-type": "application/json",
        ...(url.endsWith("v2") && { etag: tag }),
      });
    const documents: Readonly<Record<string, object>> = {
      "/openapi/v2": {
        paths: { [`/${key}/flunders`]: { get: { responses: { 200: { schema } }, tag } } },
        definitions: { Flunder: flunder, Unused: {} },
      },
      "/openapi/v3": { paths: { [key]: { serverRelativeURL: `/openapi/v3/${key}?hash=${tag}` } } },
      [`/openapi/v3/${key}?hash=${tag}`]: { openapi: "3.0.0" },
    };
    response.end(response.statusCode === 304 ? "" : JSON.stringify(documents[url] ?? {}));
    return true;
  };
}

/** The document, once it says something. */
async function documentWith(path: string, text: string): Promise<string> {
  for (;;) {
    const answer = await at.front.ask(path, { as: "admin", headers: { accept: "application/json" } });
    if (answer.text.includes(text)) return answer.text;
  }
}

test("OpenAPI tells of what extension servers serve, and hears of changes", async () => {
  describe('"1"');
  await at.publish();
  await at.register();
  const two = JSON.parse(await documentWith("/openapi/v2", "flunders")) as {
    paths: Readonly<Record<string, unknown>>;
    definitions: Readonly<Record<string, unknown>>;
  };
  expect(two.paths[`/${key}/flunders`]).toMatchObject({ get: { tag: '"1"' } });
  expect(two.definitions["Flunder"]).toEqual(flunder);
  expect(two.definitions["Unused"]).toBeUndefined();
  const three = JSON.parse(await documentWith("/openapi/v3", "wardle")) as {
    paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
  };
  const { serverRelativeURL = "" } = three.paths[key] ?? {};
  expect(serverRelativeURL).toBe(`/openapi/v3/${key}?hash="1"`);
  const passed = await at.front.ask(encodeURI(serverRelativeURL), { as: "admin" });
  expect(passed.status).toBe(200);
  await at.front.clock.advance(60_000);
  describe('"2"');
  await at.front.clock.advance(60_000);
  expect(await documentWith("/openapi/v2", String.raw`\"2\"`)).toContain("flunders");
});

test("what a server says in version 2 alone is translated for those who ask for version 3", async () => {
  describe('"1"');
  const { answer } = at;
  at.answer = (request, response) => {
    if (!request.url?.startsWith("/openapi/v3")) return answer(request, response);
    response.writeHead(404).end();
    return true;
  };
  await at.publish();
  await at.register();
  const index = JSON.parse(await documentWith("/openapi/v3", "wardle")) as {
    paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
  };
  const { serverRelativeURL = "" } = index.paths[key] ?? {};
  expect(serverRelativeURL).toMatch(new RegExp(`^/openapi/v3/${key}\\?hash=[0-9A-F]+$`));
  const document = await at.front.ask(serverRelativeURL, {
    as: "admin",
    headers: { accept: "application/json" },
  });
  expect(document.headers["cache-control"]).toBe("public, immutable");
  const content = { "*/*": { schema: { $ref: "#/components/schemas/Flunder" } } };
  expect(JSON.parse(document.text)).toMatchObject({
    openapi: "3.0.0",
    paths: { [`/${key}/flunders`]: { get: { responses: { 200: { content } } } } },
    components: { schemas: { Flunder: flunder } },
  });
});
