import { afterEach, beforeEach, expect, test } from "vitest";
import { openAggregated, type Aggregated } from "./aggregation-suite.ts";
import { discoveredFromList } from "./remote-resources.ts";

let at: Aggregated;
beforeEach(async () => {
  at = await openAggregated();
});
afterEach(() => at.close());

const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const list = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "wardle.example.com/v1alpha1",
  resources: [
    {
      name: "flunders",
      singularName: "flunder",
      namespaced: true,
      kind: "Flunder",
      verbs: ["get", "list"],
      shortNames: ["fl"],
    },
    { name: "flunders/status", singularName: "", namespaced: true, kind: "Flunder", verbs: ["get"] },
  ],
};
const flunders = {
  resource: "flunders",
  responseKind: { group: "", version: "", kind: "Flunder" },
  scope: "Namespaced",
  singularResource: "flunder",
  verbs: ["get", "list"],
  shortNames: ["fl"],
  subresources: [
    { subresource: "status", responseKind: { group: "", version: "", kind: "Flunder" }, verbs: ["get"] },
  ],
};

/** Answers JSON at paths; with the type that a document has. */
function serve(documents: Readonly<Record<string, readonly [document: object, type: string]>>): void {
  at.answer = ({ url = "" }, response) => {
    const [document, type] = documents[url] ?? [{}, ""];
    response.writeHead(type === "" ? 404 : 200, { "content-type": type });
    response.end(JSON.stringify(document));
    return true;
  };
}

interface Discovered {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly object[];
}

/** The group in aggregated discovery, once it is as fresh as that. */
async function discovered(freshness: string): Promise<Discovered> {
  for (;;) {
    const { text } = await at.front.ask("/apis", { as: "admin", headers: { accept } });
    const { items } = JSON.parse(text) as { items: readonly Discovered[] };
    const found = items.find(({ metadata }) => metadata.name === "wardle.example.com");
    if (found && JSON.stringify(found).includes(`"freshness":"${freshness}"`)) return found;
  }
}

const listPath = "/apis/wardle.example.com/v1alpha1";

test("what an extension server serves stands in discovery, in the order of priorities", async () => {
  serve({ [listPath]: [list, "application/json"] });
  await at.publish();
  await at.register();
  expect(await discovered("Current")).toEqual({
    metadata: { name: "wardle.example.com" },
    versions: [{ version: "v1alpha1", resources: [flunders], freshness: "Current" }],
  });
  await at.register({ group: "a.example.com", groupPriorityMinimum: 100 });
  await at.register({ version: "v1beta1", versionPriority: 10 });
  await at.register({ version: "v1", versionPriority: 300 });
  const { groups } = JSON.parse((await at.front.ask("/apis", { as: "admin" })).text) as {
    groups: readonly { readonly name: string; readonly preferredVersion: object }[];
  };
  expect(groups.slice(-2).map(({ name }) => name)).toEqual(["wardle.example.com", "a.example.com"]);
  const group = JSON.parse((await at.front.ask("/apis/wardle.example.com", { as: "admin" })).text) as {
    versions: readonly { readonly version: string }[];
  };
  expect(group.versions.map(({ version }) => version)).toEqual(["v1", "v1alpha1", "v1beta1"]);
  const passed = await at.front.ask(listPath, { as: "admin" });
  expect(JSON.parse(passed.text)).toEqual(list);
});

test("aggregated discovery of extension servers is taken as it is; without an answer it is stale", async () => {
  const resources = [{ ...flunders, verbs: ["get"] }];
  const versions = [{ version: "v1alpha1", resources, freshness: "Current" }];
  const groups = { items: [{ metadata: { name: "wardle.example.com" }, versions }] };
  serve({ "/apis": [groups, accept], [listPath]: [list, "application/json"] });
  await at.publish();
  await at.register();
  expect(await discovered("Current")).toMatchObject({ versions });
  serve({});
  await at.front.clock.advance(30_000);
  expect(await discovered("Stale")).toMatchObject({ versions: [{ resources, freshness: "Stale" }] });
});

test("a list's rows become resources with what lies below them", () => {
  expect(discoveredFromList(list)).toEqual([flunders]);
  expect(discoveredFromList(null)).toEqual([]);
});
