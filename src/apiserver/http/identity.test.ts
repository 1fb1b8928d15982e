import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createCertificateAuthority, issueCertificate } from "../../pki/index.ts";
import type { Attributes } from "../authorization/authorizer.ts";
import { openFront } from "./front-suite.ts";
import type { Front, FrontAsk } from "./front-suite.ts";

let front: Front;

const configMaps = "/api/v1/namespaces/default/configmaps";
const subject = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const messageOf = (text: string) => (JSON.parse(text) as { message?: string }).message;

/** What a request was refused for, or the user that it was let through as. */
const outcome = async (ask: FrontAsk) => {
  const { status, text } = await front.ask(configMaps, ask);
  return [status, messageOf(text)] as const;
};

describe("who asks", () => {
  let proxies: Awaited<ReturnType<typeof createCertificateAuthority>>;
  const certificate = async (commonName: string, options: { proxy?: boolean; organizations?: string[] }) => {
    const { proxy = false, organizations = [] } = options;
    return issueCertificate({
      ca: proxy ? proxies : front.ca,
      commonName,
      organizations,
      usages: ["client"],
      now: Date.now(),
    });
  };
  beforeAll(async () => {
    proxies = await createCertificateAuthority({ commonName: "proxies", now: Date.now() });
    front = await openFront({
      requestHeader: {
        clientAuthority: proxies.certificate,
        allowedNames: ["front-proxy"],
        usernameHeaders: ["X-Remote-User"],
        uidHeaders: ["X-Remote-Uid"],
        groupHeaders: ["X-Remote-Group"],
        extraHeadersPrefixes: ["X-Remote-Extra-"],
      },
    });
  });
  afterAll(() => front.close());

  const anonymous = /User "system:anonymous" cannot list/;
  const cases: readonly (readonly [string, FrontAsk["headers"], number, RegExp])[] = [
    ["no credentials", {}, 403, anonymous],
    ["a token that nobody knows", { authorization: "Bearer wrong" }, 401, /^Unauthorized$/],
    ["another scheme", { authorization: "Basic eDp5" }, 403, anonymous],
    ["no token", { authorization: "Bearer " }, 403, anonymous],
    ["a token", { authorization: "bearer user" }, 403, /User "user" cannot list/],
    ["headers of a proxy without its certificate", { "x-remote-user": "admin" }, 403, anonymous],
  ];
  test.each(cases)("%s", async (_name, headers = {}, status, message) => {
    const [code, text] = await outcome({ headers });
    expect(code).toBe(status);
    expect(text).toMatch(message);
  });

  test("a client's certificate names the user, and no proxy's headers count", async () => {
    const shown = await certificate("jane", { organizations: ["people"] });
    const headers = { "x-remote-user": "admin" };
    expect(await outcome({ with: shown, headers })).toEqual([403, expect.stringContaining('User "jane"')]);
  });

  test("a proxy names the user, groups and what else it knows", async () => {
    const shown = await certificate("front-proxy", { proxy: true });
    const headers = {
      "x-remote-user": "jane",
      "x-remote-group": ["system:masters", "with, comma"],
      "x-remote-extra-acme.com%2fscope": "view",
    };
    expect((await front.ask(configMaps, { with: shown, headers })).status).toBe(200);
  });

  test("a proxy without headers, or with a name that is not allowed, is nobody", async () => {
    const proxy = await certificate("front-proxy", { proxy: true });
    expect(await outcome({ with: proxy })).toEqual([401, "Unauthorized"]);
    const stranger = await certificate("stranger", { proxy: true });
    const headers = { "x-remote-user": "jane" };
    expect(await outcome({ with: stranger, headers })).toEqual([401, "Unauthorized"]);
  });

  test("a certificate of a strange authority is refused", async () => {
    const other = await createCertificateAuthority({ commonName: "other", now: Date.now() });
    const shown = await issueCertificate({
      ca: other,
      commonName: "admin",
      organizations: ["system:masters"],
      usages: ["client"],
      now: Date.now(),
    });
    expect(await outcome({ with: shown })).toEqual([401, "Unauthorized"]);
  });
});

test("where nobody may be anonymous, silence is refused", async () => {
  front = await openFront({ anonymous: false, allows: () => true });
  expect(await outcome({})).toEqual([401, "Unauthorized"]);
  expect((await outcome({ as: "user" }))[0]).toBe(200);
  await front.close();
});

describe("impersonation", () => {
  afterEach(() => front.close());

  /** Opens a front where `user` may do what the rules say: `verb resource/name` or `verb path`. */
  const openAllowing = async (...rules: readonly string[]) => {
    front = await openFront({
      allows: (attributes: Attributes) => {
        if (attributes.type === "path") return false;
        const { verb, resource, name, group } = attributes;
        const who = attributes.user.name;
        return rules.includes(`${who} ${verb} ${group}/${resource}/${name}`);
      },
    });
  };

  test("of groups without a user is refused", async () => {
    await openAllowing();
    const refused = (headers: FrontAsk["headers"]) =>
      outcome({ as: "user", ...(headers ? { headers } : {}) });
    expect(await refused({ "impersonate-group": "g" })).toEqual([
      400,
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ]);
    expect(await refused({ "impersonate-extra-a": "v", "impersonate-uid": "u" })).toEqual([
      400,
      'requested &user.DefaultInfo{Name:"", UID:"u", Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"v"}}} without impersonating a user name',
    ]);
  });

  test("the old right allows all that the other may do", async () => {
    await openAllowing("user impersonate /users/jane", "jane list /configmaps/");
    expect((await outcome({ as: "user", headers: { "impersonate-user": "jane" } }))[0]).toBe(200);
    expect(await outcome({ as: "user", headers: { "impersonate-user": "joe" } })).toEqual([
      403,
      'configmaps is forbidden: User "user" cannot impersonate-on:user-info:list resource "configmaps" in API group "" in the namespace "default"',
    ]);
  });

  test("the new right is for a form and for what is done", async () => {
    await openAllowing(
      "user impersonate-on:user-info:list /configmaps/",
      "user impersonate:user-info authentication.k8s.io/users/jane",
      "jane list /configmaps/",
    );
    expect((await outcome({ as: "user", headers: { "impersonate-user": "jane" } }))[0]).toBe(200);
    const headers = { "impersonate-user": "jane", "impersonate-group": "system:masters" };
    expect(await outcome({ as: "user", headers })).toEqual([
      403,
      'groups.authentication.k8s.io "system:masters" is forbidden: User "user" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    ]);
  });

  test("each group is asked for, with its commas", async () => {
    await openAllowing(
      "user impersonate /users/jane",
      "user impersonate /groups/a, b",
      "jane list /configmaps/",
    );
    const headers = { "impersonate-user": "jane", "impersonate-group": ["a, b"] };
    expect((await outcome({ as: "user", headers }))[0]).toBe(200);
    expect(
      (await outcome({ as: "user", headers: { ...headers, "impersonate-group": ["a, b", "c"] } }))[0],
    ).toBe(403);
  });

  test("service accounts get their groups", async () => {
    await openAllowing("user impersonate /serviceaccounts/robot");
    const headers = { "impersonate-user": "system:serviceaccount:default:robot" };
    expect(await outcome({ as: "user", headers })).toEqual([
      403,
      expect.stringContaining('User "system:serviceaccount:default:robot" cannot list'),
    ]);
  });

  test("administrators may be anyone", async () => {
    await openAllowing();
    const headers = { "impersonate-user": "jane", "impersonate-group": "system:masters" };
    const { status, text } = await front.ask(subject, {
      method: "POST",
      as: "admin",
      headers,
      body: '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}',
    });
    expect([status, text]).toEqual([expect.any(Number), expect.not.stringContaining("forbidden")]);
  });
});
