import type { UserInfo } from "../../api/index.ts";

/** What a connection or request shows of who it is. */
export interface Credentials {
  /** Subject of a client certificate that the TLS layer has verified against the client CA. */
  readonly certificate?: {
    readonly commonName: string;
    readonly organizations: readonly string[];
    /** The UID that the subject carries. */
    readonly uid?: string;
    /** Fingerprint of the certificate, in lower case without colons. */
    readonly sha256?: string;
  };
  readonly bearerToken?: string;
  /** Hears what the client should be warned of. */
  readonly warn?: (message: string) => void;
}

/** Finds out who asks: undefined when the credentials say nothing; throws ApiError `Unauthorized` when they are wrong. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<UserInfo | undefined> | UserInfo | undefined;
}

/** The user of requests without credentials. */
export const anonymousUser: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };
