import { expect, test } from "vitest";
import { dealHand, flowHash } from "./shuffle-sharding.ts";

// Worked out by hand: remainders of ever smaller decks, moved up past the cards that are taken.
test.each([
  [0n, 128, 8, [0, 1, 2, 3, 4, 5, 6, 7]],
  [12_345n, 128, 9, [57, 97, 0, 1, 2, 3, 4, 5, 6]],
])("the hand of hash %s out of %d", (hash, deckSize, handSize, hand) => {
  expect(dealHand(hash, { deckSize, handSize })).toEqual(hand);
});

test("a hand holds different cards of the deck, and those of flows differ", () => {
  const hands = new Set<string>();
  for (let user = 0; user < 200; user++) {
    const hand = dealHand(flowHash("schema", `user-${user}`), { deckSize: 64, handSize: 6 });
    expect(new Set(hand).size).toBe(6);
    expect(hand.every((card) => card >= 0 && card < 64)).toBe(true);
    hands.add(hand.join());
  }
  expect(hands.size).toBe(200);
});
