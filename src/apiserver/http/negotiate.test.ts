import { expect, test } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import { negotiate, negotiatePlain } from "./negotiate.ts";
import type { Offer } from "./negotiate.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const form = "v=v1;g=meta.k8s.io";
const encodings = `application/json, application/yaml, ${protobuf}`;
const unrouted = "406: Not Acceptable";
const unmatched = "only the following media types are accepted: ";

/** What comes of a header: encoding and form, or the start of the refusal. */
function outcome(accept: string | undefined, offer: Offer, query = "", agent?: string): string {
  const headers = { ...(accept === undefined ? {} : { accept }), ...(agent ? { "user-agent": agent } : {}) };
  try {
    const chosen = negotiate({ headers, query: new URLSearchParams(query) }, offer);
    const words = [chosen.mediaType, chosen.convert, chosen.metaVersion, chosen.pretty ? "pretty" : ""];
    return words.filter((word) => word !== "" && word !== "none" && word !== "v1").join(" ");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.code).toBe(406);
    return error.message;
  }
}

test("headers choose what upstream chooses", () => {
  // The outcomes are those of a kube-apiserver that was asked for a config map.
  function check(accept: string | undefined, expected: string, offer: Offer = { convertible: true }) {
    const found = outcome(accept, offer);
    if (expected === unrouted)
      expect(found, accept).toMatch(/^406: Not Acceptable\n\nAvailable representations: /);
    else expect(found, accept).toBe(expected === unmatched ? `${unmatched}${encodings}` : expected);
  }
  check(undefined, "application/json");
  check("", "application/json");
  check("*/*", "application/json");
  check("application/json", "application/json");
  check("application/yaml", "application/yaml");
  check(protobuf, protobuf);
  check("application/cbor", unrouted);
  check("application/cbor", "application/cbor", { cbor: true });
  check("application/cbor, application/json;q=0.5", "application/json");
  check("application/xml", unrouted);
  check("text/*", unrouted);
  check("application/*", unrouted);
  check("*", unrouted);
  check(",", unrouted);
  check("APPLICATION/JSON", unrouted);
  check("application/*, application/yaml;q=0.1", "application/json");
  check("application/json;q=0.1,application/yaml", "application/yaml");
  check("application/yaml;q=0.5, */*;q=0.1", "application/yaml");
  check("*/*, application/yaml", "application/yaml");
  check(`${protobuf},application/json`, protobuf);
  check("text/html, application/json;q=0.9", "application/json");
  check("application/json;charset=utf-8", "application/json");
  check("application/json;q=0", "application/json");
  check("application/json;q=x", "application/json");
  check("application/json;stream=watch", "application/json");
  check("application/json;stream=foo", unmatched);
  check("application/json;pretty=1", "application/json pretty");
  check("application/json;sv=v1", "application/json");
  check("application/json;sv=v2", unmatched);
  check("application/json;foo=bar", "application/json");
  check(`application/json;as=Table;${form}`, "application/json Table");
  check("application/json;as=Table;v=v1beta1;g=meta.k8s.io", "application/json Table v1beta1");
  check("application/json;as=Table;v=v2;g=meta.k8s.io", unmatched);
  check("application/json;as=Table;g=meta.k8s.io", unmatched);
  check("application/json;as=Table;v=v1", unmatched);
  check(`application/json;as=Other;${form}`, unmatched);
  check("application/json;g=meta.k8s.io", unmatched);
  check(`application/json;as=;${form}`, unmatched);
  check(`application/yaml;as=Table;${form}`, "application/yaml Table");
  check(`application/cbor;as=Table;${form}`, "application/cbor Table", { convertible: true, cbor: true });
  // Cells of tables have no protobuf form; metadata has.
  check(`${protobuf};as=Table;${form}`, unmatched);
  check(`${protobuf};as=PartialObjectMetadata;${form}`, `${protobuf} PartialObjectMetadata`);
  check(`application/json;as=Table;${form},application/json`, "application/json Table");
  check(`application/json;as=Table;${form},application/json`, "application/json", {});
  check(protobuf, unmatched, { custom: true });
  check(`${protobuf},application/json`, "application/json", { custom: true });
});

test("watches need a stream", () => {
  const watch = { streams: true, watch: true, convertible: true };
  expect(outcome("application/yaml", watch)).toBe(
    `${unmatched}application/json;stream=watch, ${protobuf};stream=watch`,
  );
  expect(outcome("application/xml", watch)).toBe(
    `${unrouted}\n\nAvailable representations: ${encodings}, application/json;stream=watch, ${protobuf};stream=watch`,
  );
  expect(outcome(`${protobuf};stream=watch`, watch)).toBe(protobuf);
  // A sequence of CBOR has a name of its own.
  const streams = `application/json;stream=watch, ${protobuf};stream=watch, application/cbor-seq`;
  expect(outcome("text/plain", { streams: true, cbor: true })).toBe(
    `${unrouted}\n\nAvailable representations: ${encodings}, application/cbor, ${streams}`,
  );
  expect(outcome("application/yaml", { streams: true, watch: true, cbor: true })).toBe(
    `${unmatched}${streams}`,
  );
});

test("answers have line breaks for those who ask, and for people", () => {
  function check(query: string, agent: string, pretty: boolean) {
    const found = outcome(undefined, {}, query, agent);
    expect(found, `${query} ${agent}`).toBe(pretty ? "application/json pretty" : "application/json");
  }
  check("pretty=true", "kubectl", true);
  check("pretty=1", "kubectl", true);
  check("pretty=x", "curl/7", false);
  check("pretty=false", "curl/7", false);
  check("pretty=", "curl/7", true);
  check("", "curl/7", true);
  check("", "Wget/1", true);
  check("", "Mozilla/5.0 (X)", true);
  check("", "Mozilla/4", false);
  check("", "kubectl/v1.36.0", false);
});

test("errors are never converted", () => {
  const of = (accept: string) =>
    negotiatePlain({ headers: { accept }, query: new URLSearchParams() }, {})?.mediaType;
  expect(of(`application/json;as=Table;${form}`)).toBeUndefined();
  expect(of(`application/json;as=Table;${form},application/yaml`)).toBe("application/yaml");
  expect(of("application/json;sv=v1")).toBeUndefined();
  expect(of("application/*")).toBe("application/json");
  expect(of("application/xml")).toBeUndefined();
});
