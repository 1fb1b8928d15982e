export { replicaSetController, replicationController } from "./replicaset-controller.ts";
export { rankForDeletion } from "./ranking.ts";
