import { ApiError } from "../apimachinery/index.ts";

/** What was asked for; undefined when it is not there. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (ApiError.is(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Settles when the call has; that its object is gone is no failure. */
export async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  await unlessMissing(call);
}
