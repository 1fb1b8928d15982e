import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { ServiceAccount } from "../../api/types/core-v1.ts";
import type { TokenIssuer } from "../authentication/index.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { Core, PostHandler } from "../registry/context.ts";
import { tokenRequests } from "./reviews.ts";

const key = { namespace: "shop", name: "bot" };

async function ask(metadata: object): Promise<object> {
  const reader = memoryReader();
  reader.put(ServiceAccount, {
    metadata: { ...key, uid: "one", resourceVersion: "1", creationTimestamp: "2020-01-01T00:00:00Z" },
  });
  const issuer = { issue: ({ spec }) => Promise.resolve({ spec, status: { token: "t" } }) } as Pick<
    TokenIssuer,
    "issue"
  > as TokenIssuer;
  const answer = tokenRequests({ issuer, reader })["/serviceaccounts/token"];
  const core = { clock: new VirtualClock(Date.UTC(2026, 0, 1)) } as unknown as Core;
  const request = { core, key, body: { metadata, spec: {} } } as unknown as Parameters<PostHandler>[0];
  return (await answer?.(request)) ?? {};
}

test("a request for a token is answered with whose it is", async () => {
  const metadata = { ...key, uid: "one", creationTimestamp: "2026-01-01T00:00:00Z" };
  for (const given of [{}, { name: "bot" }, { uid: "one", labels: { a: "b" } }]) {
    expect(await ask(given)).toEqual({
      metadata: { ...given, ...metadata },
      spec: {},
      status: { token: "t" },
    });
  }
});

test("a request for a token that says another is refused", async () => {
  await expect(ask({ name: "other" })).rejects.toMatchObject({
    code: 422,
    message:
      'TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
  });
  await expect(ask({ uid: "two" })).rejects.toMatchObject({
    code: 409,
    message: expect.stringContaining(
      "the UID in the token request (two) does not match the UID of the service account (one)",
    ),
  });
});
