import { createHash } from "node:crypto";

/** The first eight bytes of the hash by which a flow finds its queues, as one number. */
export function flowHash(schema: string, distinguisher: string): bigint {
  return createHash("sha256").update(`${schema}\0${distinguisher}`).digest().readBigUInt64LE(0);
}

/**
 * The queues that a flow may use: a hand of different cards out of a deck, the same for the same hash. Flows of two
 * users are unlikely to share all of their queues (KEP-1040).
 */
export function dealHand(hash: bigint, options: { deckSize: number; handSize: number }): readonly number[] {
  const { deckSize, handSize } = options;
  const hand: number[] = [];
  let rest = hash;
  for (let card = 0; card < handSize; card++) {
    const left = BigInt(deckSize - card);
    let pick = Number(rest % left);
    rest /= left;
    // The pick counts the cards that are left: those taken before it, the lowest first, move it up.
    for (const taken of [...hand].sort((one, other) => one - other)) if (pick >= taken) pick += 1;
    hand.push(pick);
  }
  return hand;
}
