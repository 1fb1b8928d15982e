import { describe, expect, test } from "vitest";
import { flowControlDefaults } from "../../../api/index.ts";
import { allocate, demandAfter, noDemand, seatLimits, shareOut, widestRequest } from "./shares.ts";
import type { Sharer } from "./shares.ts";

const { levels } = flowControlDefaults;
const specs = { ...levels.mandatory, ...levels.suggested };

test("upstream's levels share 600 seats", () => {
  const limits = seatLimits(Object.values(specs), 600);
  const rows = Object.keys(specs).map((name, index) => [
    name,
    limits[index]!.nominal,
    limits[index]!.lowest,
    limits[index]!.highest,
  ]);
  expect(rows).toEqual([
    ["exempt", 0, 0, 600],
    ["catch-all", 13, 13, 613],
    ["system", 74, 50, 674],
    ["node-high", 98, 73, 698],
    ["leader-election", 25, 25, 625],
    ["workload-high", 98, 49, 698],
    ["workload-low", 245, 24, 845],
    ["global-default", 49, 24, 649],
  ]);
});

test("what may be borrowed can be bounded", () => {
  const limited = { limitResponse: { type: "Reject" }, lendablePercent: 30, borrowingLimitPercent: 50 };
  const spec = { type: "Limited", limited: { ...limited, nominalConcurrencyShares: 10 } };
  expect(seatLimits([spec], 100)).toEqual([{ nominal: 100, lowest: 70, highest: 150 }]);
  expect(seatLimits([], 100)).toEqual([]);
});

test.each([
  [5, 6, 1],
  [10, 6, 1],
  [15, 6, 2],
  [20, 6, 3],
  [35, 6, 5],
  [100, 6, 15],
  [200, 6, 30],
  [10, 1, 2],
  [100, 20, 5],
])("of %d seats and hands of %d a request takes at most %d", (nominal, handSize, widest) => {
  expect(widestRequest(nominal, handSize)).toBe(widest);
});

describe("allocation", () => {
  test.each([
    [
      "targets in proportion",
      10,
      [
        [1, 0, 10],
        [4, 0, 10],
      ],
      [2, 8],
    ],
    [
      "a lower bound takes from the other",
      10,
      [
        [4, 4, 10],
        [16, 0, 20],
      ],
      [4, 6],
    ],
    [
      "an upper bound gives to the other",
      10,
      [
        [5, 0, 2],
        [5, 0, 20],
      ],
      [2, 8],
    ],
    [
      "no room above the lower bounds",
      5,
      [
        [2, 2, 9],
        [3, 3, 9],
      ],
      [2, 3],
    ],
    [
      "no room below the upper bounds",
      9,
      [
        [1, 0, 4],
        [1, 0, 5],
      ],
      [4, 5],
    ],
    [
      "targets of nothing share evenly",
      10,
      [
        [0, 0, 10],
        [0, 0, 10],
      ],
      [5, 5],
    ],
  ] as const)("%s", (_, sum, claims, parts) => {
    const found = allocate(
      sum,
      claims.map(([target, lowest, highest]) => ({ target, lowest, highest })),
    );
    expect(found?.parts.map((part) => Number(part.toFixed(6)))).toEqual(parts);
  });

  test.each([
    ["lower bounds above the sum", 1, [[2, 2, 9]]],
    ["upper bounds below the sum", 10, [[2, 2, 9]]],
  ] as const)("%s cannot be", (_, sum, claims) => {
    expect(
      allocate(
        sum,
        claims.map(([target, lowest, highest]) => ({ target, lowest, highest })),
      ),
    ).toBeUndefined();
  });
});

describe("borrowing", () => {
  const level = (nominal: number, lowest: number, demand: number, more: Partial<Sharer> = {}): Sharer => ({
    limits: { nominal, lowest, highest: nominal + 100 },
    exempt: false,
    demand: { highWatermark: demand, average: demand, deviation: 0, smoothed: demand },
    current: nominal,
    ...more,
  });

  test.each([
    ["idle levels lend to the busy one", [level(50, 10, 0), level(50, 10, 200)], [10, 90]],
    ["two busy levels keep their own", [level(50, 10, 50), level(50, 10, 500)], [50, 50]],
    ["what is needed by nobody is spread by demand", [level(50, 10, 20), level(50, 10, 20)], [50, 50]],
    [
      "the exempt take from all",
      [level(0, 0, 40, { exempt: true }), level(50, 10, 50), level(50, 10, 50)],
      [40, 30, 30],
    ],
    [
      "nobody falls below what it keeps",
      [level(0, 0, 95, { exempt: true }), level(50, 10, 50), level(50, 10, 50)],
      [95, 10, 10],
    ],
  ])("%s", (_, levels, seats) => {
    expect(shareOut(levels).seats).toEqual(seats);
  });

  test("demand rises at once and falls slowly", () => {
    const peak = demandAfter(noDemand, { highest: 30, average: 20, deviation: 5 });
    expect(peak).toEqual({ highWatermark: 30, average: 20, deviation: 5, smoothed: 25 });
    const calm = demandAfter(peak, { highest: 0, average: 0, deviation: 0 });
    expect(calm.smoothed).toBeCloseTo(25 * 0.977);
    expect(calm.highWatermark).toBe(0);
    expect(demandAfter(peak, undefined)).toBe(peak);
  });
});
