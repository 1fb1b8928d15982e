import { headerOf, type ServerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import type { EtcdHandlers } from "./kv.ts";

type ClusterCall = "MemberAdd" | "MemberRemove" | "MemberUpdate" | "MemberList" | "MemberPromote";

/** The service Cluster: of one member, which stays alone. */
export function clusterHandlers(context: ServerContext): EtcdHandlers<ClusterCall> {
  const { identity } = context;
  const refuse = async ({ id }: { readonly id: string }): Promise<never> => {
    throw refusal(id === identity.memberId ? "oneMember" : "memberNotFound");
  };
  return {
    async MemberList() {
      const { memberId: id, name, clientUrls, peerUrls } = identity;
      return { header: headerOf(context), members: [{ id, name, clientUrls, peerUrls }] };
    },
    async MemberAdd() {
      throw refusal("oneMember");
    },
    MemberRemove: refuse,
    MemberUpdate: refuse,
    MemberPromote: refuse,
  };
}
