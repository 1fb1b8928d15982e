import { unlessMissing } from "../../api/index.ts";
import { ApiError, keyOf } from "../../apimachinery/index.ts";
import { ConfigMap, Namespace, Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { equalJson, observed, settled, watch, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext, ControllerSettings } from "../framework/index.ts";
import { accountNameAnnotation, accountUidAnnotation, encodeText, tokenSecretType } from "./token-secret.ts";

const defaultAccount = "default";
const rootConfigMap = "kube-root-ca.crt";
const rootDescription =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Gives every namespace its `default` service account. Keys are namespaces. */
export function serviceAccountController(context: ControllerContext): Controller {
  const { client, clock } = context;
  const namespaces = context.informers.informer(Namespace);
  const accounts = context.informers.informer(ServiceAccount);
  return {
    name: "serviceaccount",
    watches: [
      watchItself(namespaces),
      watch(accounts, ({ type, object }, wake) => {
        if (type === "deleted" && object.metadata.name === defaultAccount && object.metadata.namespace) {
          wake({ name: object.metadata.namespace });
        }
      }),
    ],
    async reconcile({ name: namespace }, signal) {
      const found = namespaces.get({ name: namespace });
      if (found === undefined || found.status?.phase === "Terminating") return settled;
      if (accounts.get({ namespace, name: defaultAccount })) return settled;
      const metadata = { namespace, name: defaultAccount };
      const created = await createUnlessThere(() =>
        client.create<ServiceAccount>(ServiceAccount, { metadata }),
      );
      if (created) await observed(accounts, { stored: [created] }, { clock, signal });
      return settled;
    },
  };
}

/** Publishes the cluster's root certificate in every namespace. Keys are namespaces. */
export function rootCertificatePublisher(context: ControllerContext): Controller {
  const { client, clock, settings } = context;
  const namespaces = context.informers.informer(Namespace);
  const maps = context.informers.informer(ConfigMap);
  const data = { "ca.crt": settings.rootCertificateAuthority };
  const annotations = { "kubernetes.io/description": rootDescription };
  return {
    name: "root-ca-certificate-publisher",
    watches: [
      watchItself(namespaces),
      watch(maps, ({ type, object }, wake) => {
        if (type === "added" || object.metadata.name !== rootConfigMap) return;
        if (object.metadata.namespace) wake({ name: object.metadata.namespace });
      }),
    ],
    async reconcile({ name: namespace }, signal) {
      const found = namespaces.get({ name: namespace });
      if (found === undefined || found.status?.phase === "Terminating") return settled;
      const current = maps.get({ namespace, name: rootConfigMap });
      if (current === undefined) {
        const metadata = { namespace, name: rootConfigMap, annotations };
        const created = await createUnlessThere(() =>
          client.create<ConfigMap>(ConfigMap, { metadata, data }),
        );
        if (created) await observed(maps, { stored: [created] }, { clock, signal });
        return settled;
      }
      const described = current.metadata.annotations?.["kubernetes.io/description"] === rootDescription;
      if (equalJson(current.data, data) && described) return settled;
      const metadata = {
        ...current.metadata,
        annotations: { ...current.metadata.annotations, ...annotations },
      };
      await client.update<ConfigMap>(ConfigMap, { ...current, metadata, data });
      return settled;
    },
  };
}

/** Fills secrets of type service-account-token, and deletes those whose account is gone. */
export function tokensController(context: ControllerContext): Controller {
  const { client, settings } = context;
  const secrets = context.informers.informer(Secret);
  const accounts = context.informers.informer(ServiceAccount);
  const secretsOf = (account: ServiceAccount) =>
    secrets
      .list(account.metadata.namespace)
      .filter(
        ({ type, metadata }) =>
          type === tokenSecretType && metadata.annotations?.[accountNameAnnotation] === account.metadata.name,
      );
  return {
    name: "serviceaccount-token",
    watches: [
      watch(secrets, ({ object }, wake) => {
        if (object.type === tokenSecretType) wake(keyOf(object));
      }),
      watch(accounts, ({ type, object }, wake) => {
        if (type !== "updated") for (const secret of secretsOf(object)) wake(keyOf(secret));
      }),
    ],
    async reconcile(key) {
      const secret = secrets.get(key);
      const name = secret?.metadata.annotations?.[accountNameAnnotation];
      if (secret?.type !== tokenSecretType || !name || !key.namespace) return settled;
      const { uid, resourceVersion, annotations } = secret.metadata;
      const account = await unlessMissing(client.get(ServiceAccount, { namespace: key.namespace, name }));
      const wanted = annotations?.[accountUidAnnotation];
      if (account === undefined || (wanted && wanted !== account.metadata.uid)) {
        await client.delete(Secret, key, { preconditions: { uid, resourceVersion } });
        return settled;
      }
      const filled = await fillSecret(secret, { account, settings });
      if (filled) await client.update<Secret>(Secret, filled);
      return settled;
    },
  };
}

/** The secret with all that it lacks; undefined when it is complete or tokens cannot be signed. */
async function fillSecret(
  secret: Secret,
  { account, settings }: { account: ServiceAccount; settings: ControllerSettings },
): Promise<Secret | undefined> {
  const { name, uid, namespace = "", annotations } = secret.metadata;
  const wanted = {
    "ca.crt": encodeText(settings.rootCertificateAuthority),
    namespace: encodeText(namespace),
  };
  const { "ca.crt": certificate, namespace: told, token } = secret.data ?? {};
  const bound = annotations?.[accountUidAnnotation];
  const complete = token && bound && certificate === wanted["ca.crt"] && told === wanted.namespace;
  if (complete || settings.signSecretToken === undefined) return undefined;
  const serviceAccount = { name: account.metadata.name, uid: account.metadata.uid };
  const signed = token
    ? undefined
    : await settings.signSecretToken({ namespace, serviceAccount, secret: { name, uid } });
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...annotations, [accountUidAnnotation]: serviceAccount.uid },
    },
    data: { ...secret.data, ...wanted, ...(signed === undefined ? {} : { token: encodeText(signed) }) },
  };
}

/** Creates; undefined when it is there already or the namespace is going. */
async function createUnlessThere<T>(create: () => Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (ApiError.is(error, "AlreadyExists") || ApiError.is(error, "NotFound")) return undefined;
    if (ApiError.is(error, "Forbidden") && error.message.includes("because it is being terminated"))
      return undefined;
    throw error;
  }
}
