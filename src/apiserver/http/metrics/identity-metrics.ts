import type { UserInfo } from "../../../api/index.ts";
import type { Milliseconds } from "../../../base/index.ts";
import type { Decision } from "../../authorization/authorizer.ts";
import { exponential } from "./registry.ts";
import type { Counter, Family, Histogram, MetricsRegistry } from "./registry.ts";

/** Names of users that have a series of their own. */
const knownUsers = new Set([
  "admin",
  "client",
  "kube_proxy",
  "kubelet",
  "system:serviceaccount:kube-system:default",
]);
const bounds = exponential(0.001, { factor: 2, count: 15 });
const hour = 3_600;
const day = 24 * hour;
/** Upper bounds of what is left of a certificate, in seconds: none, half an hour, ... a year. */
const certificateBounds = [
  0,
  hour / 2,
  hour,
  2 * hour,
  6 * hour,
  12 * hour,
  ...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * day),
];

interface Outcome {
  readonly count: Counter;
  readonly duration: Histogram;
}

/** Counts attempts to find out who asks, and whether they may. */
export class IdentityMetrics {
  private readonly users: Family<Counter>;
  private readonly userCounts = new Map<string, Counter>();
  private readonly success: Outcome;
  private readonly failure: Outcome;
  private readonly decisions: Readonly<Record<Decision["type"], Outcome>>;
  private readonly certificates: Histogram;
  private readonly authentication: Histogram;
  private readonly authorization: Histogram;

  constructor(registry: MetricsRegistry) {
    this.users = registry.counter({
      name: "authenticated_user_requests",
      help: "Requests whose user is known, by a shortened name of the user.",
      labels: ["username"],
    });
    const authentication = outcomes(registry, {
      count: { name: "authentication_attempts", help: "Attempts to find out who asks, by how they went." },
      duration: { name: "authentication_duration_seconds", help: "Time to find out who asks, in seconds." },
    });
    this.success = authentication("success");
    this.failure = authentication("failure");
    const authorization = outcomes(registry, {
      count: {
        name: "authorization_attempts_total",
        help: "Decisions on what users may do, by their outcome.",
      },
      duration: {
        name: "authorization_duration_seconds",
        help: "Time to decide what users may do, in seconds.",
      },
    });
    this.decisions = {
      allow: authorization("allowed"),
      deny: authorization("denied"),
      noOpinion: authorization("no-opinion"),
    };
    const filters = filterDurations(registry);
    this.authentication = filters.with("authentication");
    this.authorization = filters.with("authorization");
    this.certificates = registry
      .histogram(
        {
          name: "apiserver_client_certificate_expiration_seconds",
          help: "What is left of certificates with which users showed who they are, in seconds.",
        },
        certificateBounds,
      )
      .with();
  }

  /** Whether it was found out who asks, and how long it took. */
  authenticated(user: UserInfo | undefined, elapsed: Milliseconds): void {
    note(user === undefined ? this.failure : this.success, elapsed);
    this.authentication.observe(elapsed / 1_000);
    if (user) this.countOf(user.name).value += 1;
  }

  private countOf(userName: string): Counter {
    const name = shortened(userName);
    const known = this.userCounts.get(name);
    if (known) return known;
    const made = this.users.with(name);
    this.userCounts.set(name, made);
    return made;
  }

  authorized(decision: Decision["type"], elapsed: Milliseconds): void {
    note(this.decisions[decision], elapsed);
    this.authorization.observe(elapsed / 1_000);
  }

  /** A certificate was shown that holds this much longer. */
  certificate(secondsLeft: number): void {
    this.certificates.observe(secondsLeft);
  }
}

function note({ count, duration }: Outcome, elapsed: Milliseconds): void {
  count.value += 1;
  duration.observe(elapsed / 1_000);
}

const filterDurations = (registry: MetricsRegistry): Family<Histogram> =>
  registry.histogram(
    {
      name: "apiserver_request_filter_duration_seconds",
      help: "Time that requests spend in filters, in seconds.",
      labels: ["filter"],
    },
    [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5],
  );

type Named = { readonly name: string; readonly help: string };

function outcomes(
  registry: MetricsRegistry,
  { count, duration }: { readonly count: Named; readonly duration: Named },
): (result: string) => Outcome {
  const labels = ["result"];
  const counts = registry.counter({ ...count, labels });
  const durations = registry.histogram({ ...duration, labels }, bounds);
  return (result) => ({ count: counts.with(result), duration: durations.with(result) });
}

/** Users are without number: all but a few share a name. */
function shortened(name: string): string {
  if (knownUsers.has(name)) return name;
  return name.includes("@") ? "email_id" : "other";
}
