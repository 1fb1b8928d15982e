export { runEtcdCompactor } from "./compactor.ts";
export { connectEtcdStore, EtcdStore } from "./etcd-store.ts";
export type { EtcdStoreOptions } from "./etcd-store.ts";
