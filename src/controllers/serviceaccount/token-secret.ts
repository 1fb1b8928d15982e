import type { Secret, ServiceAccount } from "../../api/types/core-v1.ts";

export const tokenSecretType = "kubernetes.io/service-account-token";
export const accountNameAnnotation = "kubernetes.io/service-account.name";
export const accountUidAnnotation = "kubernetes.io/service-account.uid";

/** Whether the secret holds a token of the account. */
export function isTokenOf({ type, metadata }: Secret, account: ServiceAccount): boolean {
  const { annotations = {} } = metadata;
  return (
    type === tokenSecretType &&
    annotations[accountNameAnnotation] === account.metadata.name &&
    annotations[accountUidAnnotation] === account.metadata.uid
  );
}

/** Text as secrets hold it. */
export const encodeText = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)));
