/** The version of etcd's API that is served, which clients choose their features by. */
export const etcdVersion = "3.5.21";
export const etcdClusterVersion = "3.5.0";
