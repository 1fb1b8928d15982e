import { ApiError } from "../apimachinery/index.ts";
import type { New, Resource } from "../apimachinery/index.ts";
import type { Client } from "./client.ts";

/** Creates an object; one of its name that is there already stays as it is. */
export async function createUnlessPresent<T extends object>(
  client: Client,
  resource: Resource<T>,
  object: New<T>,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!ApiError.is(error, "AlreadyExists")) throw error;
  }
}
