import { ApiError } from "../../apimachinery/index.ts";

/** Settles when the call has; that its object is gone is no failure. */
export async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!ApiError.is(error, "NotFound")) throw error;
  }
}
