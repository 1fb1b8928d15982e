export {
  rootCertificatePublisher,
  serviceAccountController,
  tokensController,
} from "./serviceaccount-controllers.ts";
export * from "./token-secret.ts";
