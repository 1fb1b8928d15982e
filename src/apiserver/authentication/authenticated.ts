import type { UserInfo } from "../../api/index.ts";
import { anonymousUser } from "./authenticator.ts";

const authenticatedGroup = "system:authenticated";
const unauthenticatedGroup = "system:unauthenticated";

/** The same object for the same user: what others know of one they find by it. */
const grouped = new WeakMap<UserInfo, UserInfo>();

/** The user in the group of all who are known, unless it is nobody or says itself which of the two it is in. */
export function authenticated(user: UserInfo): UserInfo {
  const { name, groups } = user;
  const says = groups.includes(authenticatedGroup) || groups.includes(unauthenticatedGroup);
  if (says || name === anonymousUser.name) return user;
  const known = grouped.get(user);
  if (known) return known;
  const made = { ...user, groups: [...groups, authenticatedGroup] };
  grouped.set(user, made);
  return made;
}
