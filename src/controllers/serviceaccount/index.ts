export {
  rootCertificatePublisher,
  serviceAccountController,
  tokensController,
} from "./serviceaccount-controllers.ts";
