import { describe, expect, test } from "vitest";
import { requestInfoOf } from "../request-info.ts";
import type { ResourceInfo } from "../request-info.ts";
import { workOf } from "./estimate.ts";
import { WatchCounts } from "./watch-counts.ts";

function infoOf(method: string, target: string): { info: ResourceInfo; query: URLSearchParams } {
  const [path = "", text = ""] = target.split("?");
  const query = new URLSearchParams(text);
  return { info: requestInfoOf({ method, path, query }) as ResourceInfo, query };
}

const all = "/api/v1/pods";
const own = "/api/v1/namespaces/n/pods";

describe("lists", () => {
  test.each([
    ["by the bytes that are stored", all, 200, 1_000, 0, 2],
    ["those of one namespace like all", own, 200, 1_000, 0, 2],
    ["few objects take one seat", all, 3, 1_000, 0, 1],
    ["what nobody stores takes one", all, undefined, 0, 0, 1],
    ["a page takes what it holds", `${all}?limit=100`, 5_000, 2_000, 0, 2],
    ["from the cache no more than ten", all, 150_000, 2_000, 0, 10],
    [
      "a past state has no such bound",
      `${all}?resourceVersion=5&resourceVersionMatch=Exact`,
      1_000,
      2_000,
      0,
      20,
    ],
    ["nor do further pages", `${all}?continue=x&limit=900`, 10_000, 2_000, 0, 18],
    [
      "which cost what a selector looks at",
      `${all}?continue=x&limit=100&labelSelector=a`,
      1_000,
      2_000,
      0,
      10,
    ],
    ["no list takes more than a hundred", `${all}?continue=x`, 150_000, 2_000, 0, 100],
    ["nor more than its level allows", all, 150_000, 2_000, 4, 4],
    ["a name makes it a get", `${all}?fieldSelector=metadata.name%3Dx`, 150_000, 2_000, 0, 1],
    ["a watch takes one", `${all}?watch=1`, 150_000, 2_000, 0, 1],
    ["unless it begins with a list", `${all}?watch=1&sendInitialEvents=true`, 150_000, 2_000, 0, 10],
    ["a get takes one", `${own}/x`, 150_000, 2_000, 0, 1],
  ])("%s", (_, target, objects, averageBytes, widest, seats) => {
    const work = workOf({
      ...infoOf("GET", target),
      widest,
      stored: () => (objects === undefined ? undefined : { objects, averageBytes }),
      watches: () => 1_000,
    });
    expect(work).toEqual({ seats, finalSeats: 0, lingering: 0 });
  });
});

describe("writes", () => {
  test.each([
    ["few watches do not count", "POST", own, 9, 0, { seats: 1, finalSeats: 0, lingering: 0 }],
    ["many keep seats for a while", "PUT", `${own}/x`, 31, 0, { seats: 1, finalSeats: 4, lingering: 5 }],
    [
      "bounded, and then for longer",
      "PATCH",
      `${own}/x`,
      200,
      0,
      { seats: 1, finalSeats: 10, lingering: 10 },
    ],
    ["as the level allows", "DELETE", `${own}/x`, 200, 2, { seats: 1, finalSeats: 2, lingering: 50 }],
    [
      "a token is no event",
      "POST",
      "/api/v1/namespaces/n/serviceaccounts/x/token",
      200,
      0,
      { seats: 1, finalSeats: 0, lingering: 0 },
    ],
  ])("%s", (_, method, target, count, widest, work) => {
    const stored = () => ({ objects: 1_000, averageBytes: 1_000 });
    expect(workOf({ ...infoOf(method, target), widest, stored, watches: () => count })).toEqual(work);
  });
});

test("a write concerns the watches of its resource, namespace and object", () => {
  const counts = new WatchCounts();
  const watched = ["", "?fieldSelector=metadata.name%3Dx"].flatMap((more) =>
    [all, own].map((target) => counts.add(infoOf("GET", `${target}${more}${more ? "&" : "?"}watch=1`).info)),
  );
  const interested = (target: string) => counts.interested(infoOf("PUT", target).info);
  expect(interested(`${own}/x`)).toBe(3);
  expect(interested(`${own}/y`)).toBe(2);
  expect(interested("/api/v1/namespaces/other/pods/x")).toBe(1);
  expect(interested("/apis/apps/v1/namespaces/n/pods/x")).toBe(0);
  for (const end of watched) end();
  expect(interested(`${own}/x`)).toBe(0);
});
