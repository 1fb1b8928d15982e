import { createCodec, type Methods, serveMethods, type ServedMethod } from "../../grpc/index.ts";

const messages = {
  HealthCheckRequest: { service: [1, "string"] },
  HealthCheckResponse: { status: [1, "int32"] },
} as const;

const methods = {
  Check: ["grpc.health.v1.Health", "HealthCheckRequest", "HealthCheckResponse", "unary"],
  Watch: ["grpc.health.v1.Health", "HealthCheckRequest", "HealthCheckResponse", "responses"],
} as const satisfies Methods<typeof messages>;

const serving = { status: 1 };

/** gRPC's own service for health: who can ask is served. */
export function healthMethods(): readonly ServedMethod[] {
  return serveMethods(
    { codec: createCodec(messages), methods },
    {
      Check: async () => serving,
      Watch: async (_request, { send, signal }) => {
        await send(serving);
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    },
  );
}
