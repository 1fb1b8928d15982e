import { randomBytes } from "node:crypto";
import type { Clock, Milliseconds } from "../../../base/index.ts";

/** How long a token lives after its last use; etcd's. */
const lifetime: Milliseconds = 300_000;
const mostTokens = 100_000;
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const tokenLength = 16;

interface Holder {
  readonly user: string;
  expiresAt: Milliseconds;
}

/** etcd's simple tokens: known to this process alone, and only as long as they are used. */
export class Tokens {
  private readonly clock: Clock;
  private readonly holders = new Map<string, Holder>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  issue(user: string, revision: number): string {
    this.forgetExpired();
    const text = [...randomBytes(tokenLength)].map((byte) => letters[byte % letters.length]).join("");
    const token = `${text}.${revision}`;
    this.holders.set(token, { user, expiresAt: this.clock.now() + lifetime });
    return token;
  }

  /** The token's user; the token lives on. */
  userOf(token: string): string | undefined {
    const holder = this.holders.get(token);
    if (!holder || holder.expiresAt <= this.clock.now()) return undefined;
    holder.expiresAt = this.clock.now() + lifetime;
    return holder.user;
  }

  /** Ends the tokens of a user, or all. */
  revoke(user?: string): void {
    for (const [token, holder] of this.holders) {
      if (user === undefined || holder.user === user) this.holders.delete(token);
    }
  }

  private forgetExpired(): void {
    const now = this.clock.now();
    for (const [token, { expiresAt }] of this.holders) if (expiresAt <= now) this.holders.delete(token);
    for (const token of this.holders.keys()) {
      if (this.holders.size < mostTokens) break;
      this.holders.delete(token);
    }
  }
}
