import type { Client } from "../api/index.ts";
import type { Resource } from "../apimachinery/index.ts";

/** A client that asks one of two, by what each serves. */
export function routedClient(clients: {
  readonly local: Client;
  readonly remote: Client;
  readonly isRemote: (resource: Resource<object>) => boolean;
}): Client {
  const { local, remote, isRemote } = clients;
  const of = (resource: Resource<object>) => (isRemote(resource) ? remote : local);
  return {
    get: (resource, ...rest) => of(resource).get(resource, ...rest),
    list: (resource, ...rest) => of(resource).list(resource, ...rest),
    watch: (resource, ...rest) => of(resource).watch(resource, ...rest),
    create: (resource, ...rest) => of(resource).create(resource, ...rest),
    update: (resource, ...rest) => of(resource).update(resource, ...rest),
    patch: (resource, ...rest) => of(resource).patch(resource, ...rest),
    delete: (resource, ...rest) => of(resource).delete(resource, ...rest),
    deleteCollection: (resource, ...rest) => of(resource).deleteCollection(resource, ...rest),
    post: (resource, ...rest) => of(resource).post(resource, ...rest),
  };
}
