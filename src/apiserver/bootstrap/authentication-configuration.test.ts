import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { VirtualClock, silentLogger } from "../../base/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import { createCertificateAuthority } from "../../pki/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { authenticationData, keepClientAuthority } from "./authentication-configuration.ts";

const key = { namespace: "kube-system", name: "extension-apiserver-authentication" };
const now = Date.UTC(2026, 0, 1);
const year = 365 * 24 * 60 * 60 * 1000;
const headers = {
  allowedNames: ["front-proxy-client"],
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeadersPrefixes: ["X-Remote-Extra-"],
};

const authority = async (commonName: string) =>
  (await createCertificateAuthority({ commonName, now })).certificate;
let clients: string;
let others: string;
let proxies: string;
beforeAll(async () => {
  [clients, others, proxies] = (await Promise.all(["clients", "others", "proxies"].map(authority))) as [
    string,
    string,
    string,
  ];
});

test("what other servers say stays, each thing is said once, what nobody knows goes", () => {
  const requestHeader = { ...headers, clientAuthority: proxies };
  const own = authenticationData({}, { clientAuthority: clients, requestHeader, now });
  expect(own).toEqual({
    "client-ca-file": clients,
    "requestheader-client-ca-file": proxies,
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-username-headers": '["X-Remote-User"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
  });
  const present = {
    ...own,
    "client-ca-file": `${others}some words\n${clients}`,
    "requestheader-allowed-names": '["aggregator"]',
    another: "x",
  };
  expect(authenticationData(present, { clientAuthority: clients, requestHeader, now })).toEqual({
    ...own,
    "client-ca-file": others + clients,
    "requestheader-allowed-names": '["aggregator","front-proxy-client"]',
  });
  expect(authenticationData(own, { clientAuthority: clients, now })).toEqual(own);
});

test("authorities go when they have expired", () => {
  const present = { "client-ca-file": others };
  const at = { now: now + 11 * year };
  expect(authenticationData(present, { clientAuthority: clients, ...at })).toEqual({});
});

test("headers are told of proxies that have an authority only", () => {
  expect(authenticationData({}, { clientAuthority: clients, now })).toEqual({ "client-ca-file": clients });
});

let close: () => Promise<void>;
let at: Awaited<ReturnType<typeof createApiServer>>;
beforeEach(async () => {
  const clock = new VirtualClock(now);
  const authorizer = { authorize: () => ({ type: "allow" as const, reason: "" }) };
  at = await createApiServer({ store: createMemoryStore({ clock }), clock, authorizer });
  const client = at.client({ name: "system:apiserver", groups: ["system:masters"] });
  const ending = new AbortController();
  const options = { client, reader: at.reader, clock, logger: silentLogger, clientAuthority: clients };
  const running = keepClientAuthority(options, ending.signal);
  close = async () => {
    ending.abort();
    await running;
    await at.close();
  };
});
afterEach(() => close());

/** Settles when what is told is this. */
const told = (file: string) =>
  new Promise<void>((resolve) => {
    const isTold = () => at.reader.get(ConfigMap, key)?.data?.["client-ca-file"] === file;
    if (isTold()) return resolve();
    const end = at.reader.subscribe(ConfigMap, () => {
      if (!isTold()) return;
      end();
      resolve();
    });
  });

test("it is told at the start, again when it was removed, and added to what others write", async () => {
  const client = at.client({ name: "someone", groups: ["system:masters"] });
  await told(clients);
  await client.delete(ConfigMap, key);
  await told(clients);
  await client.patch(ConfigMap, key, { type: "merge", body: { data: { "client-ca-file": others } } });
  await told(others + clients);
});
