import type { messages } from "./schema.ts";

type Schema = typeof messages;
export type MessageName = keyof Schema;

type Scalar<T extends string> = T extends "string"
  ? string
  : T extends "bool"
    ? boolean
    : T extends "bytes"
      ? Uint8Array
      : T extends "map"
        ? Readonly<Record<string, string>>
        : number;

type InputOf<T> = T extends `${infer Item}[]`
  ? readonly InputOf<Item>[]
  : T extends MessageName
    ? Input<T>
    : T extends string
      ? Scalar<T>
      : never;

type OutputOf<T> = T extends `${infer Item}[]`
  ? readonly OutputOf<Item>[]
  : T extends MessageName
    ? Output<T> | undefined
    : T extends string
      ? Scalar<T>
      : never;

type TypeOf<F> = F extends readonly [number, infer T] ? T : never;

/** A message as written: what is absent has its zero value. 64-bit integers are numbers: nanoseconds lose their last digits. */
export type Input<M extends MessageName> = {
  readonly [F in keyof Schema[M]]?: InputOf<TypeOf<Schema[M][F]>> | undefined;
};

/** A message as read: zero values are filled in, nested messages may be absent. */
export type Output<M extends MessageName> = {
  readonly [F in keyof Schema[M]]: TypeOf<Schema[M][F]> extends `${infer Item}[]`
    ? readonly NonNullable<OutputOf<Item>>[]
    : OutputOf<TypeOf<Schema[M][F]>>;
};

export type PodSandboxConfig = Input<"PodSandboxConfig">;
export type ContainerConfig = Input<"ContainerConfig">;
export type Mount = Input<"Mount">;
export type LinuxContainerResources = Input<"LinuxContainerResources">;
export type PodSandboxStatus = Output<"PodSandboxStatus">;
export type ContainerStatus = Output<"ContainerStatus">;
export type Image = Output<"Image">;
