import { setMaxListeners } from "node:events";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { GrpcError } from "../../grpc/index.ts";
import { StoreError } from "../../store/index.ts";
import type { EtcdInput, EtcdOutput, methods } from "../messages.ts";
import { openEndpoint } from "./endpoint.ts";
import type { Endpoint, EtcdTls } from "./endpoint.ts";
import { failureOf, storeErrorOf } from "./failure.ts";

type Calls = typeof methods;
type UnaryName = { [N in keyof Calls]: Calls[N][3] extends "unary" ? N : never }[keyof Calls];

/** How the members are reached, and for how long they are tried. */
export interface EtcdConnectionOptions {
  /** URLs of the members, one at least. */
  readonly servers: readonly string[];
  readonly tls?: EtcdTls;
  readonly user?: { readonly name: string; readonly password: string };
  readonly clock: Clock;
  readonly logger: Logger;
  /** For how long one member may keep a request. */
  readonly attemptTimeout?: Milliseconds;
  /** For how long a request is tried. */
  readonly requestTimeout?: Milliseconds;
}

const defaultAttemptTimeout: Milliseconds = 5_000;
const defaultRequestTimeout: Milliseconds = 30_000;
const shortestPause: Milliseconds = 20;
const longestPause: Milliseconds = 1_000;
/** How often a request is sent again because a token was stale. */
const tokenAttempts = 3;

const noAuthentication = /authentication is not enabled/;

/** Requests to a cluster: each goes to one member until that fails, then to the next. */
export class EtcdConnection {
  readonly clock: Clock;
  readonly logger: Logger;
  private readonly options: EtcdConnectionOptions;
  private readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  private readonly listeners = new Set<() => void>();
  private readonly closing = new AbortController();
  private position = 0;
  private token: Promise<string> | undefined;
  /** Attempts since the last answer. */
  private failures = 0;
  private lastFailure = "";

  constructor(options: EtcdConnectionOptions) {
    this.options = options;
    this.clock = options.clock;
    this.logger = options.logger;
    const [first, ...rest] = options.servers.map((url) => openEndpoint(url, options.tls));
    if (!first) throw new Error("etcd has no server: give the URL of one at least");
    this.endpoints = [first, ...rest];
    setMaxListeners(0, this.closing.signal);
  }

  /** The member that is asked now. */
  get endpoint(): Endpoint {
    return this.endpoints[this.position] ?? this.endpoints[0];
  }

  /** Why no member can be asked, when each was tried since the last answer. */
  get problem(): string | undefined {
    return this.failures < this.endpoints.length ? undefined : `etcd does not answer: ${this.lastFailure}`;
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Goes on to the next member, unless others have done so already. */
  leave(endpoint: Endpoint): void {
    if (this.endpoint !== endpoint || this.endpoints.length === 1) return;
    this.position = (this.position + 1) % this.endpoints.length;
    this.logger.info("etcd's member is left for another", { from: endpoint.url, to: this.endpoint.url });
    for (const listener of this.listeners) listener();
  }

  /** Calls `listener` whenever another member is asked; returns what ends that. */
  onMove(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** What every call carries: who asks, and that a member without a leader must not answer. */
  async headers(): Promise<Readonly<Record<string, string>>> {
    const { user } = this.options;
    const token = user && (await (this.token ??= this.authenticate(user)));
    return { hasleader: "true", ...(token ? { token } : {}) };
  }

  /** Asks for a new token next time. */
  forgetToken(): void {
    this.token = undefined;
  }

  /**
   * Sends a request until a member answers; fails with a StoreError. Where it is uncertain whether a member has
   * carried it out, `onUncertain` tells whether it may be sent again: else the call fails as `unavailable`.
   */
  async call<N extends UnaryName>(
    method: N,
    request: EtcdInput<Calls[N][1]>,
    onUncertain: () => boolean = () => true,
  ): Promise<EtcdOutput<Calls[N][2]>> {
    return this.attempts((endpoint, options) => endpoint.caller.unary(method, request, options), onUncertain);
  }

  /** As `call`, for what needs more than one message. */
  async attempts<T>(
    attempt: (endpoint: Endpoint, options: AttemptOptions) => Promise<T>,
    onUncertain: () => boolean = () => true,
  ): Promise<T> {
    const deadline = this.clock.now() + (this.options.requestTimeout ?? defaultRequestTimeout);
    for (let tries = 0, tokens = 0; ; tries++) {
      const { endpoint } = this;
      try {
        const answer = await attempt(endpoint, await this.attemptOptions(deadline));
        this.failures = 0;
        return answer;
      } catch (thrown) {
        this.requireOpen();
        const error = GrpcError.from(thrown);
        const failure = failureOf(error);
        if (failure === "token" && tokens++ < tokenAttempts) {
          this.forgetToken();
          continue;
        }
        if (failure === "refused" || failure === "token") {
          this.failures = 0;
          throw storeErrorOf(error);
        }
        this.failures++;
        this.lastFailure = error.message;
        this.leave(endpoint);
        const mayRepeat = failure === "unsent" || onUncertain();
        if (!mayRepeat || this.clock.now() >= deadline) throw unavailable(error, endpoint);
        await this.pause(tries);
      }
    }
  }

  /** Waits longer the more attempts there were, but not until all members were asked. */
  async pause(attempt: number): Promise<void> {
    const round = Math.floor((attempt + 1) / this.endpoints.length);
    if (round === 0) return;
    const delay = Math.min(shortestPause * 2 ** Math.min(round - 1, 10), longestPause);
    try {
      await this.clock.sleep(delay, this.closing.signal);
    } catch {
      this.requireOpen();
    }
  }

  close(): void {
    this.closing.abort();
    for (const endpoint of this.endpoints) endpoint.close();
  }

  requireOpen(): void {
    if (this.isClosed) throw new StoreError("closed", "the store is closed");
  }

  private async attemptOptions(deadline: Milliseconds): Promise<AttemptOptions> {
    this.requireOpen();
    const headers = await this.headers();
    const limit = this.options.attemptTimeout ?? defaultAttemptTimeout;
    const timeout = Math.max(Math.min(limit, deadline - this.clock.now()), shortestPause);
    return { headers, timeout, signal: this.closing.signal };
  }

  /** A token; none where nobody needs one. */
  private async authenticate(user: { readonly name: string; readonly password: string }): Promise<string> {
    const timeout = this.options.attemptTimeout ?? defaultAttemptTimeout;
    try {
      const { token } = await this.endpoint.caller.unary("Authenticate", user, { timeout });
      return token;
    } catch (error) {
      const { code, message } = GrpcError.from(error);
      if (noAuthentication.test(message)) return "";
      this.forgetToken();
      // Nothing that asks for a token has been sent yet.
      const isAnswer = failureOf(new GrpcError(code, message)) === "refused";
      throw isAnswer ? error : new GrpcError(code, `No connection established: ${message}`);
    }
  }
}

/** What each attempt's call gets. */
export interface AttemptOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: Milliseconds;
  readonly signal: AbortSignal;
}

function unavailable(error: GrpcError, { url }: Endpoint): StoreError {
  return new StoreError("unavailable", `etcd does not answer (last tried ${url}): ${error.message}`);
}
