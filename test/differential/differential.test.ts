import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, render, type Difference } from "./compare.ts";
import { corpus } from "./corpus/index.ts";
import type { Server } from "./exchange.ts";
import { expectedDifferences, type ExpectedDifference } from "./expected.ts";
import { normalize } from "./normalize.ts";
import { runSequence } from "./run-sequence.ts";
import { startOurs, startUpstream } from "./servers.ts";
import type { Sequence } from "./step.ts";

const upstreamFolder = process.env["KUBETS_UPSTREAM"];
if (upstreamFolder === undefined)
  console.log(
    "differential.test.ts is skipped: KUBETS_UPSTREAM names no folder with upstream's kube-apiserver",
  );

test("every sequence has a name of its own", () => {
  const names = corpus.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(corpus.flatMap(({ steps }) => steps).length).toBeGreaterThan(400);
});

describe.skipIf(upstreamFolder === undefined)("answers are upstream's", { timeout: 120_000 }, () => {
  const used = new Set<ExpectedDifference>();
  const servers: { upstream?: Server; ours?: Server } = {};

  beforeAll(async () => {
    servers.upstream = await startUpstream(upstreamFolder ?? "");
    servers.ours = await startOurs();
  }, 120_000);
  afterAll(async () => {
    await servers.upstream?.close();
    await servers.ours?.close();
  });

  test.each(corpus)("$name", async (sequence) => {
    const { upstream, ours } = servers;
    if (!upstream || !ours) throw new Error("a server has not started");
    const [theirAnswers, ourAnswers] = await Promise.all([
      runSequence(upstream, sequence),
      runSequence(ours, sequence),
    ]);
    const report = sequence.steps.flatMap((step, index) => {
      const [theirs, own] = [theirAnswers[index], ourAnswers[index]];
      if (!theirs || !own || step.silent) return [];
      const unexpected = compare(normalize(theirs), normalize(own)).filter(
        (difference) => !isExpected({ sequence, index, difference }),
      );
      if (unexpected.length === 0) return [];
      return [`${index + 1}. ${step.method} ${step.path}`, ...unexpected.map(render)];
    });
    expect(report.join("\n")).toBe("");
  });

  /** All entries that allow the difference count as used, so that none hides behind another. */
  function isExpected(place: { sequence: Sequence; index: number; difference: Difference }): boolean {
    const { sequence, index, difference } = place;
    const step = sequence.steps[index];
    const name = `${sequence.name}: ${step?.method} ${step?.path}`;
    const matching = expectedDifferences.filter(
      (entry) =>
        entry.at.test(difference.at) &&
        (entry.step?.test(name) ?? true) &&
        (!("ours" in entry) || JSON.stringify(entry.ours) === JSON.stringify(difference.ours)) &&
        (entry.matches?.(difference) ?? true),
    );
    for (const entry of matching) used.add(entry);
    return matching.length > 0;
  }

  test("every expected difference is still there", () => {
    const unused = expectedDifferences.filter((entry) => !entry.byChance && !used.has(entry));
    expect(unused.map(({ reason }) => reason)).toEqual([]);
  });
});
