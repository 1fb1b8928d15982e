import type { Milliseconds, Random } from "../base/index.ts";
import type { ApiError } from "../apimachinery/index.ts";

/**
 * What a reflector does next. `failures` counts attempts in a row that brought nothing; it decides how long to wait
 * before this step.
 *
 *     list ──listed──▶ watch ──ended──▶ watch
 *      ▲                 │
 *      └──history gone───┘
 */
export type ReflectorState =
  /** `at`: "0" accepts what the server has at hand; "" asks for the newest state. */
  | { readonly type: "list"; readonly at: "0" | ""; readonly failures: number }
  | { readonly type: "watch"; readonly after: string; readonly failures: number };

/** How a step of a reflector ended. */
export type ReflectorOutcome =
  | { readonly type: "listed"; readonly resourceVersion: string }
  /** A watch's end; `resourceVersion` is the last version it brought, if any. */
  | { readonly type: "ended"; readonly resourceVersion: string | undefined }
  | { readonly type: "failed"; readonly error: ApiError; readonly resourceVersion: string | undefined };

export const firstReflectorState: ReflectorState = { type: "list", at: "0", failures: 0 };

const firstDelay: Milliseconds = 800;
const longestDelay: Milliseconds = 30_000;

/** The state that follows `state` after `outcome`. */
export function nextReflectorState(state: ReflectorState, outcome: ReflectorOutcome): ReflectorState {
  switch (outcome.type) {
    case "listed":
      return { type: "watch", after: outcome.resourceVersion, failures: 0 };
    case "ended":
      return resumed(state, outcome.resourceVersion);
    case "failed":
      if (outcome.error.reason === "Expired" || outcome.error.reason === "Gone") {
        const again = state.type === "list" ? state.failures + 1 : 0;
        return { type: "list", at: "", failures: again };
      }
      return resumed(state, outcome.resourceVersion);
  }
}

function resumed(state: ReflectorState, resourceVersion: string | undefined): ReflectorState {
  if (state.type === "list") return { ...state, failures: state.failures + 1 };
  if (resourceVersion === undefined) return { ...state, failures: state.failures + 1 };
  return { type: "watch", after: resourceVersion, failures: 0 };
}

/** How long to wait before a step: doubling from 0.8 s to 30 s, with up to as much again at random. */
export function reflectorDelay(state: ReflectorState, random: Random): Milliseconds {
  if (state.failures === 0) return 0;
  const base = Math.min(firstDelay * 2 ** Math.min(state.failures - 1, 20), longestDelay);
  return base * (1 + random.next());
}
