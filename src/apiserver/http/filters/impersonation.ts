import { ApiError } from "../../../apimachinery/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { Exchange } from "../exchange.ts";
import { impersonate } from "../impersonation.ts";
import type { WantedUser } from "../impersonation.ts";
import { extraOf } from "../request-header.ts";
import { attributesOf } from "./authorization.ts";
import type { Filter } from "./filter.ts";

const prefix = "impersonate-";
const userHeader = "impersonate-user";
const uidHeader = "impersonate-uid";
const groupHeader = "impersonate-group";
const extraPrefix = "impersonate-extra-";

/** Lets those who may act as others do so. */
export function withImpersonation(authorizer: Authorizer): Filter {
  return (next) => (request) => {
    const wanted = wantedUser(request.exchange);
    if (!wanted) return next(request);
    const attributes = attributesOf(request);
    const impersonated = impersonate(wanted, { attributes, authorizer });
    request.audit?.impersonated(impersonated);
    return next({ ...request, user: impersonated.user });
  };
}

/** Whom the headers ask for; throws `BadRequest` when they say all but the name. */
function wantedUser(exchange: Exchange): WantedUser | undefined {
  // Few ask for it: the closer look is only for them.
  if (!exchange.hasHeaders(prefix)) return undefined;
  const wanted = {
    name: exchange.valuesOf(userHeader)[0] ?? "",
    uid: exchange.valuesOf(uidHeader)[0] ?? "",
    groups: exchange.valuesOf(groupHeader),
    extra: extraOf(exchange, [extraPrefix]),
  };
  if (wanted.name !== "") return wanted;
  if (wanted.uid === "" && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0) {
    return undefined;
  }
  throw ApiError.badRequest(`requested ${goText(wanted)} without impersonating a user name`);
}

/** The user as Go prints it. */
function goText({ name, uid, groups, extra }: WantedUser): string {
  const list = (values: readonly string[]) =>
    `[]string{${values.map((one) => JSON.stringify(one)).join(", ")}}`;
  const entries = Object.entries(extra)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`);
  const groupText = groups.length === 0 ? "[]string(nil)" : list(groups);
  const type = "map[string][]string";
  const extraText = entries.length === 0 ? `${type}(nil)` : `${type}{${entries.join(", ")}}`;
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}}`;
}
