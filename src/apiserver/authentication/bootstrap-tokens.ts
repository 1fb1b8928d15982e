import { Secret } from "../../api/types/core-v1.ts";
import type { Clock } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import { textOfBase64 } from "./base64.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const secretType = "bootstrap.kubernetes.io/token";

/** Tokens of secrets `bootstrap-token-ID` in kube-system, with which new nodes join. */
export function bootstrapTokens(options: {
  readonly reader: ObjectReader;
  readonly clock: Clock;
}): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const [, id = "", secretPart = ""] = tokenPattern.exec(token) ?? [];
      if (id === "") return undefined;
      const secret = options.reader.get(Secret, {
        namespace: "kube-system",
        name: `bootstrap-token-${id}`,
      });
      if (!secret || secret.type !== secretType || secret.metadata.deletionTimestamp) return undefined;
      const field = (name: string) => textOfBase64(secret.data?.[name]) ?? "";
      if (field("token-id") !== id || !sameText(field("token-secret"), secretPart)) return undefined;
      const expiration = field("expiration");
      // A date that cannot be read counts as passed.
      if (expiration !== "" && !(Date.parse(expiration) > options.clock.now())) return undefined;
      if (field("usage-bootstrap-authentication") !== "true") return undefined;
      const extraGroups = field("auth-extra-groups").split(",").filter(Boolean);
      if (!extraGroups.every((group) => groupPattern.test(group))) return undefined;
      const groups = [...new Set(["system:bootstrappers", ...extraGroups])].sort();
      return { user: { name: `system:bootstrap:${id}`, groups }, audiences };
    },
  };
}

/** Compares in a time that tells nothing of where the texts differ. */
function sameText(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}
