import type { UserInfo } from "../../../api/index.ts";
import type { Counter, Family, MetricsRegistry } from "./registry.ts";

/** Names of users that have a series of their own. */
const knownUsers = new Set([
  "admin",
  "client",
  "kube_proxy",
  "kubelet",
  "system:serviceaccount:kube-system:default",
]);

/** Counts attempts to find out who asks. */
export class IdentityMetrics {
  private readonly users: Family<Counter>;
  private readonly success: Counter;
  private readonly failure: Counter;

  constructor(registry: MetricsRegistry) {
    this.users = registry.counter({
      name: "authenticated_user_requests",
      help: "Requests whose user is known, by a shortened name of the user.",
      labels: ["username"],
    });
    const attempts = registry.counter({
      name: "authentication_attempts",
      help: "Attempts to find out who asks, by how they went.",
      labels: ["result"],
    });
    this.success = attempts.with("success");
    this.failure = attempts.with("failure");
  }

  attempt(user: UserInfo | undefined): void {
    if (user === undefined) {
      this.failure.value += 1;
      return;
    }
    this.success.value += 1;
    this.users.with(shortened(user.name)).value += 1;
  }
}

/** Users are without number: all but a few share a name. */
function shortened(name: string): string {
  if (knownUsers.has(name)) return name;
  return name.includes("@") ? "email_id" : "other";
}
