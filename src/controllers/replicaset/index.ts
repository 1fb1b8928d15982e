export {
  isNamespaceTerminating,
  replicaSetController,
  replicationController,
} from "./replicaset-controller.ts";
