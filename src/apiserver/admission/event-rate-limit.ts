import { Event } from "../../api/types/core-v1.ts";
import { Event as NewEvent } from "../../api/types/events-v1.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Clock } from "../../base/index.ts";
import type { AdmissionPlugin } from "./plugin.ts";

/** What the whole server takes: tokens a second, and how many at once. */
const serverLimit = { perSecond: 5000, burst: 10_000 };

/** Refuses events that come faster than the server can store them. */
export function eventRateLimit(clock: Clock): AdmissionPlugin {
  let tokens: number = serverLimit.burst;
  let filled = clock.now();
  const take = (): boolean => {
    const now = clock.now();
    tokens = Math.min(serverLimit.burst, tokens + ((now - filled) / 1000) * serverLimit.perSecond);
    filled = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
  return {
    name: "EventRateLimit",
    operations: ["CREATE", "UPDATE"],
    resources: [Event, NewEvent],
    validate(request) {
      if (request.dryRun || request.subresource !== "" || take()) return;
      throw ApiError.tooManyRequests("Too many requests: limit reached on type Server for key ", 0);
    },
  };
}
