import type { FlagDefinition } from "./flags.ts";

const path = (description: string): FlagDefinition => ({ type: "string", placeholder: "FILE", description });

/** Flags of `kubets snapshot` besides the cluster's directory. */
export const snapshotFlags: Readonly<Record<string, FlagDefinition>> = {
  "data-dir": {
    type: "string",
    placeholder: "DIR",
    description: "the data directory of a kubets etcd, instead of a cluster's",
  },
  endpoints: {
    type: "string",
    placeholder: "URL,...",
    description: "any etcd v3, instead of a cluster of this machine",
  },
  cacert: path("who signed the certificate of the endpoint"),
  cert: path("our certificate for the endpoint"),
  key: path("key of our certificate"),
  user: { type: "string", placeholder: "NAME:PASSWORD", description: "user of the endpoint" },
  "write-out": {
    type: "string",
    shorthand: "w",
    placeholder: "FORMAT",
    description: "how status is printed: simple, json or table (default simple)",
  },
};
