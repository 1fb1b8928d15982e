import type { UserInfo } from "../../api/index.ts";

/** Whom a token names, and for which of the wanted audiences it is meant. */
export interface TokenIdentity {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
  /** What its bearer should be told. */
  readonly warnings?: readonly string[];
}

/** Judges bearer tokens: undefined for tokens it does not know; throws `TokenError` for those it must refuse. */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences: readonly string[]): Promise<TokenIdentity | undefined>;
}

/** Why a token is refused; shown in token reviews, never to the token's bearer. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Fixed tokens, as of a static token file or made up at start. */
export function staticTokens(tokens: ReadonlyMap<string, UserInfo>): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const user = tokens.get(token);
      return user && { user, audiences };
    },
  };
}

/** Reads a static token file: `token,user,uid,"group1,group2"` a line. */
export function parseTokenFile(text: string): ReadonlyMap<string, UserInfo> {
  const tokens = new Map<string, UserInfo>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const columns = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
      (match[1]?.replaceAll('""', '"') ?? match[2] ?? "").trim(),
    );
    const [token = "", name = "", uid = "", groups = ""] = columns;
    if (columns.length < 3) {
      throw new Error(
        `token file must have at least 3 columns (token, user name, user uid), found ${columns.length} in line ${index + 1}`,
      );
    }
    if (token === "") continue;
    tokens.set(token, {
      name,
      uid,
      groups: groups === "" ? [] : groups.split(",").map((group) => group.trim()),
    });
  }
  return tokens;
}

/** Asks each in turn; what one refuses another may still know. */
export function unionTokens(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const problems: string[] = [];
      for (const authenticator of authenticators) {
        try {
          const identity = await authenticator.authenticateToken(token, audiences);
          if (identity) return identity;
        } catch (error) {
          if (!(error instanceof TokenError)) throw error;
          problems.push(error.message);
        }
      }
      if (problems.length === 0) return undefined;
      throw new TokenError(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
    },
  };
}
