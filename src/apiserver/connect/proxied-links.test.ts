import { expect, test } from "vitest";
import { proxiedLink, rewriteLinks } from "./proxied-links.ts";

const base = { origin: "http://10.1.0.1:1080", prefix: "/api/v1/x/proxy" };

test.each([
  ["/rewriteme", "/api/v1/x/proxy/rewriteme"],
  ["/", "/api/v1/x/proxy/"],
  ["http://10.1.0.1:1080/a?b#c", "/api/v1/x/proxy/a?b#c"],
  ["/api/v1/x/proxy/there", "/api/v1/x/proxy/there"],
  ["relative/one", "relative/one"],
  ["//elsewhere/x", "//elsewhere/x"],
  ["https://example.org/x", "https://example.org/x"],
  ["#part", "#part"],
])("the link %s becomes %s", (link, seen) => {
  expect(proxiedLink(link, base)).toBe(seen);
});

/** Sends the page in pieces of `size` bytes. */
async function rewritten(page: string, size: number): Promise<string> {
  const bytes = Buffer.from(page);
  const transform = rewriteLinks(base);
  for (let at = 0; at < bytes.length; at += size) transform.write(bytes.subarray(at, at + size));
  transform.end();
  return Buffer.concat(await transform.toArray()).toString();
}

test.each([
  [
    "a link's attribute alone",
    `<a title="/x" href="/rewriteme">test /y</a>`,
    `<a title="/x" href="/api/v1/x/proxy/rewriteme">test /y</a>`,
  ],
  [
    "any quotes and case",
    `<IMG SRC = '/i>.png' alt=/x><form action=/go>`,
    `<IMG SRC = '/api/v1/x/proxy/i>.png' alt=/x><form action=/api/v1/x/proxy/go>`,
  ],
  ["comments stay", `<!-- <a href="/x"> --><b href="/x">`, `<!-- <a href="/x"> --><b href="/x">`],
  [
    "scripts stay, but not their source",
    `<script src="/s.js">"<a href='/x'>" </script ><a href="/y">`,
    `<script src="/api/v1/x/proxy/s.js">"<a href='/x'>" </script ><a href="/api/v1/x/proxy/y">`,
  ],
  ["text that is no markup", `ü 1 < 2 <a href="/x" never closed`, `ü 1 < 2 <a href="/x" never closed`],
])("%s", async (_, page, seen) => {
  for (const size of [1, 3, 1000]) expect(await rewritten(page, size)).toBe(seen);
});

test("markup without an end does not grow without bound", async () => {
  const transform = rewriteLinks(base);
  transform.write(`<a href="${"x".repeat(70_000)}`);
  expect((transform.read() as Buffer).length).toBe(70_009);
  transform.end();
  expect(Buffer.concat(await transform.toArray()).toString()).toBe("");
});

test("a long word in a tag is read once", async () => {
  const transform = rewriteLinks(base);
  const page = `<a ${"x".repeat(60_000)} href="/y">`.repeat(10);
  transform.end(page);
  expect(Buffer.concat(await transform.toArray()).toString()).toBe(
    page.replaceAll('"/y"', '"/api/v1/x/proxy/y"'),
  );
});
