import { ApiError, isNamespaceTerminating, keyOf, keyString } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { randomSuffix } from "../../base/index.ts";
import { observed, settled, watch, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import {
  accountNameAnnotation,
  accountUidAnnotation,
  encodeText,
  isTokenOf,
  tokenSecretType,
} from "../serviceaccount/index.ts";

/**
 * Keeps what service accounts say of their token secrets true: a secret that is deleted is taken from its account.
 * Where the cluster is to behave as before v1.24, it also makes each account a secret with a token.
 */
export function legacyTokensController(context: ControllerContext): Controller {
  return new LegacyTokensController(context);
}

class LegacyTokensController implements Controller {
  readonly name = "serviceaccount-legacy-token";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly accounts;
  private readonly secrets;
  /** Names of secrets that are gone, by the key of their account. */
  private readonly gone = new Map<string, Set<string>>();

  constructor(context: ControllerContext) {
    this.context = context;
    this.accounts = context.informers.informer(ServiceAccount);
    this.secrets = context.informers.informer(Secret);
    this.watches = [
      watchItself(this.accounts),
      watch(this.secrets, ({ type, object }, wake) => {
        const account = accountOf(object);
        if (type !== "deleted" || !account) return;
        const key = keyString(account);
        this.gone.set(key, new Set([...(this.gone.get(key) ?? []), object.metadata.name]));
        wake(account);
      }),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const account = this.accounts.get(key);
    const gone = this.gone.get(keyString(key)) ?? new Set();
    if (!account) {
      this.gone.delete(keyString(key));
      return settled;
    }
    const { clock, settings } = this.context;
    const kept = (account.secrets ?? []).filter(({ name }) => !gone.has(name ?? ""));
    const lacks = settings.legacyServiceAccountTokens && !this.hasToken({ ...account, secrets: kept });
    const made = lacks ? await this.makeToken(account) : undefined;
    const references = made ? [...kept, { name: made.metadata.name }] : kept;
    if (made || references.length !== (account.secrets ?? []).length) {
      const written = await this.refer(account, { references, made });
      if (written) await observed(this.accounts, { stored: [written] }, { clock, signal });
    }
    for (const name of gone) this.gone.get(keyString(key))?.delete(name);
    if (this.gone.get(keyString(key))?.size === 0) this.gone.delete(keyString(key));
    if (made) await observed(this.secrets, { stored: [made] }, { clock, signal });
    return settled;
  }

  private hasToken(account: ServiceAccount): boolean {
    return (account.secrets ?? []).some(({ name = "" }) => {
      const secret = this.secrets.get({ namespace: account.metadata.namespace, name });
      return secret !== undefined && isTokenOf(secret, account);
    });
  }

  /** A new secret with the account's token; undefined where none can be made. */
  private async makeToken(account: ServiceAccount): Promise<Secret | undefined> {
    const { client, random, settings } = this.context;
    const { name, uid, namespace = "" } = account.metadata;
    const secret = { name: `${name}-token-${randomSuffix(random)}`, uid: "" };
    const token = await settings.signSecretToken?.({ namespace, serviceAccount: { name, uid }, secret });
    if (token === undefined) return undefined;
    try {
      return await client.create<Secret>(Secret, {
        metadata: {
          name: secret.name,
          namespace,
          annotations: { [accountNameAnnotation]: name, [accountUidAnnotation]: uid },
        },
        type: tokenSecretType,
        data: {
          ...(settings.rootCertificateAuthority === ""
            ? {}
            : { "ca.crt": encodeText(settings.rootCertificateAuthority) }),
          namespace: encodeText(namespace),
          token: encodeText(token),
        },
      });
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      throw error;
    }
  }

  /** Writes the references; a secret that no account refers to goes again. */
  private async refer(
    account: ServiceAccount,
    { references, made }: { references: ServiceAccount["secrets"]; made: Secret | undefined },
  ): Promise<ServiceAccount | undefined> {
    const { client } = this.context;
    try {
      return await client.update<ServiceAccount>(ServiceAccount, { ...account, secrets: references ?? [] });
    } catch (error) {
      if (made) {
        const { uid } = made.metadata;
        await client.delete(Secret, keyOf(made), { preconditions: { uid } });
      }
      if (ApiError.is(error, "NotFound")) return undefined;
      throw error;
    }
  }
}

/** The account that a token secret is of; undefined for other secrets. */
function accountOf({ type, metadata }: Secret): ObjectKey | undefined {
  const name = metadata.annotations?.[accountNameAnnotation];
  return type === tokenSecretType && name ? { namespace: metadata.namespace, name } : undefined;
}
