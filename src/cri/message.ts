import type * as grpc from "../grpc/index.ts";
import type { messages } from "./schema.ts";

type Messages = typeof messages;
type MessageName = keyof Messages;

/** A message as written; nanoseconds lose their last digits. */
export type Input<M extends MessageName> = grpc.Input<Messages, M>;
/** A message as read. */
export type Output<M extends MessageName> = grpc.Output<Messages, M>;

export type PodSandboxConfig = Input<"PodSandboxConfig">;
export type ContainerConfig = Input<"ContainerConfig">;
export type Mount = Input<"Mount">;
export type LinuxContainerResources = Input<"LinuxContainerResources">;
export type PodSandboxStatus = Output<"PodSandboxStatus">;
export type ContainerStatus = Output<"ContainerStatus">;
export type Image = Output<"Image">;
