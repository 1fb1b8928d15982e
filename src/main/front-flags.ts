import { auditFlags } from "./audit-flags.ts";
import type { FlagDefinition, FlagValues } from "./flags.ts";

/** Upstream's flags of how the API server lets requests in. */
export const frontFlags = {
  "max-requests-inflight": count("reading requests in progress at once; 0: as many as come (default 400)"),
  "max-mutating-requests-inflight": count(
    "writing requests in progress at once; 0: as many as come (default 200)",
  ),
  "enable-priority-and-fairness": {
    type: "boolean",
    description: "share requests in progress out by priority and fairness (default true)",
  },
  "request-timeout": duration("how long a request may take that is no watch (default 1m0s)"),
  "min-request-timeout": count(
    "seconds after which watches without a wish of their own may end (default 1800)",
  ),
  "shutdown-delay-duration": duration(
    "how long to go on serving after having said not to be ready (default 0s)",
  ),
  "goaway-chance": {
    type: "string",
    placeholder: "PART",
    description: "part of HTTP/2 requests after which clients connect anew, up to 0.02 (default 0)",
  },
  "cors-allowed-origins": list("REGEXP", "origins whose pages may use the API, from //HOST to (:|$)"),
  "strict-transport-security-directives": list(
    "DIRECTIVE",
    "of the header Strict-Transport-Security: max-age=N, includeSubDomains, preload",
  ),
  "feature-gates": list("NAME=BOOL", "upstream's gates: CBORServingAndStorage, AllAlpha (default false)"),
  "anonymous-auth": {
    type: "boolean",
    description: "let requests without credentials through to authorization (default true)",
  },
  ...auditFlags,
  profiling: {
    type: "boolean",
    description: "serve profiles at /debug/pprof/ and the log's verbosity at /debug/flags/v (default true)",
  },
  "proxy-client-cert-file": {
    type: "string",
    placeholder: "FILE",
    description: "certificate by which extension servers know the API server (default: one of the cluster's)",
  },
  "proxy-client-key-file": {
    type: "string",
    placeholder: "FILE",
    description: "key of that certificate",
  },
  "requestheader-client-ca-file": {
    type: "string",
    placeholder: "FILE",
    description: "authority of proxies that say who asks (default: the cluster's own)",
  },
  "requestheader-allowed-names": list(
    "NAME",
    "common names of such proxies (default: all of the authority's)",
  ),
  "requestheader-username-headers": list("HEADER", "that name the user (default x-remote-user)"),
  "requestheader-uid-headers": list("HEADER", "that give the user's UID"),
  "requestheader-group-headers": list("HEADER", "that name the user's groups (default x-remote-group)"),
  "requestheader-extra-headers-prefix": list("PREFIX", "of headers with more (default x-remote-extra-)"),
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export type FrontFlagName = keyof typeof frontFlags;

/** Texts of those flags that were said. */
export type FrontTexts = Readonly<Partial<Record<FrontFlagName, string>>>;

/** What is said on the command line of these flags. */
export function frontTexts(flags: FlagValues): FrontTexts {
  return Object.fromEntries(
    Object.keys(frontFlags).flatMap((name) => {
      const value = flags[name];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}

function count(description: string) {
  return { type: "integer", placeholder: "N", description } as const;
}

function duration(description: string) {
  return { type: "string", placeholder: "DURATION", description } as const;
}

function list(one: string, description: string) {
  return { type: "string", placeholder: `${one},...`, description } as const;
}
