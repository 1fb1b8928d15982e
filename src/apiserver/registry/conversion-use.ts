/** Hears of conversions by webhooks. */
export interface ConversionObserver {
  /** Seconds of a clock that only runs forward. */
  now(): number;
  /** A webhook was called, and perhaps in vain. */
  called(call: { readonly seconds: number; readonly failed: boolean }): void;
  /** Objects of a definition were converted, or not. */
  converted(conversion: {
    readonly definition: string;
    readonly toVersion: string;
    readonly seconds: number;
    readonly succeeded: boolean;
  }): void;
}

/** Whoever wants to hear of it; nobody at first. */
export interface ConversionUse {
  observer: ConversionObserver | undefined;
}
