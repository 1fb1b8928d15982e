import { systemClock } from "../../src/base/index.ts";
import type { Random } from "../../src/base/index.ts";
import { openEndpoint } from "../../src/etcd/client/endpoint.ts";
import type { EtcdCluster, EtcdMember } from "./members.ts";

/** For how long clusters are disturbed, and the seed of what is done to them. */
export const chaosSeconds = Number(process.env["KUBETS_CHAOS_SECONDS"] ?? 5);
export const chaosSeed = Number(process.env["KUBETS_CHAOS_SEED"] ?? 1);

/** The member that leads, as far as one says so. */
async function leaderOf({ members }: EtcdCluster): Promise<EtcdMember | undefined> {
  for (const member of members) {
    const endpoint = openEndpoint(member.url);
    try {
      const { header, leader } = await endpoint.caller.unary("Status", {}, { timeout: 300 });
      if (header?.memberId === leader) return member;
    } catch {
      // It is down or stands still: another one leads.
    } finally {
      endpoint.close();
    }
  }
  return undefined;
}

/** Kills and stops members, one at a time so that there is a majority, until time is up; answers what was done. */
export async function disturb(
  cluster: EtcdCluster,
  { random, until }: { readonly random: Random; readonly until: number },
): Promise<readonly string[]> {
  const done: string[] = [];
  while (Date.now() < until) {
    const isLeader = random.next() < 0.6;
    const chosen = cluster.members[Math.floor(random.next() * cluster.members.length)]!;
    const victim = (isLeader && (await leaderOf(cluster))) || chosen;
    const kills = random.next() < 0.5;
    done.push(`${kills ? "kill" : "stop"} ${isLeader ? "leader" : "any"}`);
    victim.signal(kills ? "SIGKILL" : "SIGSTOP");
    await systemClock.sleep(500 + random.next() * 1_500);
    if (kills) await victim.start();
    else victim.signal("SIGCONT");
    await systemClock.sleep(500);
  }
  return done;
}
