import { describe, expect, test } from "vitest";
import { creationProblems, updateProblems } from "../testing/check.ts";
import { eventDefinition } from "../core/event.ts";
import type { Event as CoreEvent } from "../types/core-v1.ts";
import { eventFromCore, eventToCore } from "./conversion.ts";
import { eventsEventDefinition } from "./event.ts";

const time = "2026-01-01T00:00:00.000000Z";
const full = {
  metadata: { name: "e", namespace: "a" },
  eventTime: time,
  reportingController: "example.com/c",
  reportingInstance: "i",
  action: "Acted",
  reason: "Because",
  type: "Normal",
  regarding: { kind: "Pod", namespace: "a", name: "p" },
  note: "n",
};

describe("a new event of events.k8s.io", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [{ eventTime: undefined }, ["eventTime: Required value"]],
    [
      { reportingController: "", reportingInstance: "", action: "", reason: "" },
      [
        "reportingController: Required value",
        'reportingController: Invalid value: "": name part must be non-empty',
        "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        "reportingInstance: Required value",
        "action: Required value",
        "reason: Required value",
      ],
    ],
    [
      { action: "a".repeat(129), note: "n".repeat(1025) },
      [
        'action: Invalid value: "": can have at most 128 characters',
        'message: Invalid value: "": can have at most 1024 characters',
      ],
    ],
    [{ type: "Alarm" }, ['type: Invalid value: "": has invalid value: Alarm']],
    [
      { series: { count: 1 } },
      ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
    ],
    [
      {
        deprecatedCount: 1,
        deprecatedFirstTimestamp: time,
        deprecatedLastTimestamp: time,
        deprecatedSource: { component: "c" },
      },
      [
        'firstTimestamp: Invalid value: "": needs to be unset',
        'lastTimestamp: Invalid value: "": needs to be unset',
        'count: Invalid value: "": needs to be unset',
        'source: Invalid value: "": needs to be unset',
      ],
    ],
    [
      { regarding: { kind: "Node", name: "n" } },
      ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ],
  ])("with %j", (fields, problems) =>
    expect(creationProblems(eventsEventDefinition, { ...full, ...fields })).toEqual(problems),
  );
});

describe("an event of events.k8s.io", () => {
  const fixed = "field is immutable";
  const shown = (name: string) =>
    `{"Kind":"Pod","Namespace":"a","Name":"${name}","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}`;
  test.each<[object, readonly string[]]>([
    [{ series: { count: 2, lastObservedTime: time } }, []],
    [{ note: "m" }, []],
    [
      { series: { count: 1, lastObservedTime: time } },
      ['series.count: Invalid value: "": should be at least 2'],
    ],
    [
      { reason: "Other", type: "Warning", reportingController: "example.com/d" },
      [
        `reason: Invalid value: "Other": ${fixed}`,
        `reason: Invalid value: "Other": ${fixed}`,
        `type: Invalid value: "Warning": ${fixed}`,
        `reportingController: Invalid value: "example.com/d": ${fixed}`,
      ],
    ],
    [
      { regarding: { ...full.regarding, name: "q" }, deprecatedCount: 2 },
      [`involvedObject: Invalid value: ${shown("q")}: ${fixed}`, `count: Invalid value: 2: ${fixed}`],
    ],
    [{ related: full.regarding }, [`related: Invalid value: ${shown("p")}: ${fixed}`]],
  ])("changed to %j", (fields, problems) => {
    expect(updateProblems(eventsEventDefinition, { old: full, next: { ...full, ...fields } })).toEqual(
      problems,
    );
  });
});

test("events of the core group may say less, and change", () => {
  const old = {
    metadata: full.metadata,
    involvedObject: full.regarding,
    reason: "",
    count: 1,
  };
  expect(creationProblems(eventDefinition, old)).toEqual([]);
  expect(updateProblems(eventDefinition, { old, next: { ...old, reason: "b", count: 2 } })).toEqual([]);
});

test("who reports is told by the name of each version", () => {
  const event = { ...full, involvedObject: full.regarding, reportingComponent: "a b" };
  expect(creationProblems(eventDefinition, event)).toEqual([
    expect.stringMatching(/^reportingComponent: Invalid value: "a b"/),
  ]);
  expect(creationProblems(eventsEventDefinition, { ...full, reportingController: "a b" })).toEqual([
    expect.stringMatching(/^reportingController: Invalid value: "a b"/),
  ]);
});

test("the two versions differ in names, and in what they write when it is empty", () => {
  const core = {
    apiVersion: "v1",
    kind: "Event",
    metadata: full.metadata,
    involvedObject: full.regarding,
    message: "n",
    source: {},
    reportingComponent: "",
    reportingInstance: "",
  } as unknown as CoreEvent;
  const event = eventFromCore(core);
  expect(event).toEqual({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: full.metadata,
    regarding: full.regarding,
    note: "n",
    deprecatedSource: {},
  });
  expect(eventToCore(event)).toMatchObject({
    apiVersion: "v1",
    message: "n",
    involvedObject: full.regarding,
  });
});
