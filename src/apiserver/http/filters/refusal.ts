import { sendText } from "../respond.ts";
import { answered } from "./filter.ts";
import type { Incoming } from "./filter.ts";

/** Tells a client that there are too many requests, and when to try again. */
export function refuseForNow(
  { exchange, headers }: Incoming,
  { retryAfterSeconds }: { readonly retryAfterSeconds: number },
): Promise<void> {
  const all = { ...headers, "retry-after": String(retryAfterSeconds) };
  sendText(exchange, {
    status: 429,
    text: "Too many requests, please try again later.\n",
    headers: all,
  });
  return answered;
}
