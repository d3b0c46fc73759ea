// A container runtime that only remembers: enough of CRI runtime.v1 for a real kubelet to run static pods without containers.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** A container as the kubelet asked for it. */
export interface CreatedContainer {
  readonly pod: string;
  readonly name: string;
  readonly envs: Readonly<Record<string, string>>;
}

/** A message as its raw fields: those of this stand-in are strings, messages and small numbers. */
type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;
type Answer = (request: Fields) => Uint8Array;

interface Thing {
  readonly id: string;
  readonly sandbox: string;
  readonly metadata: Uint8Array;
  readonly labels: readonly Uint8Array[];
  readonly annotations: readonly Uint8Array[];
  state: number;
}

const ready = 0;
const running = 1;
const imageId = "sha256:0000";

/** Serves both services on a socket until disposed. Source of the numbers: k8s.io/cri-api pkg/apis/runtime/v1/api.proto. */
export class FakeCri implements Disposable {
  readonly containers: CreatedContainer[] = [];
  readonly #sandboxes = new Map<string, Thing>();
  readonly #running = new Map<string, Thing>();
  readonly #server = new Server();

  static async serve(socket: string): Promise<FakeCri> {
    const cri = new FakeCri();
    cri.#addService("RuntimeService", cri.#runtimeAnswers());
    cri.#addService("ImageService", {
      ListImages: () => new Uint8Array(),
      ImageFsInfo: () => new Uint8Array(),
      ImageStatus: () => message([1, message([1, imageId], [2, "pause:1"], [4, 1])]),
    });
    await new Promise<void>((resolve, reject) => {
      cri.#server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return cri;
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
  }

  #runtimeAnswers(): Record<string, Answer> {
    const isTrue = 1;
    const conditions = ["RuntimeReady", "NetworkReady"].map(
      (type) => [1, message([1, type], [2, isTrue])] as const,
    );
    const cgroupfs = 1;
    return {
      Version: () => message([1, "0.1.0"], [2, "fake"], [3, "1"], [4, "v1"]),
      Status: () => message([1, message(...conditions)]),
      RuntimeConfig: () => message([1, message([1, cgroupfs])]),
      UpdateRuntimeConfig: nothing,
      RunPodSandbox: (request) => message([1, this.#addSandbox(parse(bytesAt(request, 1)))]),
      ListPodSandbox: () =>
        message(...[...this.#sandboxes.values()].map((one) => [1, describe(one, false)] as const)),
      PodSandboxStatus: (request) => message([1, statusOf(this.#sandboxes.get(textAt(request, 1)), 7)]),
      StopPodSandbox: (request) => (this.#sandboxes.delete(textAt(request, 1)), new Uint8Array()),
      RemovePodSandbox: nothing,
      CreateContainer: (request) =>
        message([1, this.#addContainer(textAt(request, 1), parse(bytesAt(request, 2)))]),
      StartContainer: nothing,
      StopContainer: (request) => (this.#running.delete(textAt(request, 1)), new Uint8Array()),
      RemoveContainer: nothing,
      ListContainers: () =>
        message(...[...this.#running.values()].map((one) => [1, describe(one, true)] as const)),
      ContainerStatus: (request) => message([1, statusOf(this.#running.get(textAt(request, 1)), 12)]),
      ListPodSandboxStats: nothing,
      ListContainerStats: nothing,
      ListMetricDescriptors: nothing,
      ListPodSandboxMetrics: nothing,
    };
  }

  #addSandbox(config: Fields): string {
    const id = `sandbox-${this.#sandboxes.size}`;
    const metadata = bytesAt(config, 1);
    this.#sandboxes.set(id, {
      id,
      sandbox: "",
      metadata,
      labels: allAt(config, 6),
      annotations: allAt(config, 7),
      state: ready,
    });
    return id;
  }

  #addContainer(sandbox: string, config: Fields): string {
    const id = `container-${this.containers.length}`;
    const metadata = bytesAt(config, 1);
    const envs = allAt(config, 6).map((env) => [textAt(parse(env), 1), textAt(parse(env), 2)] as const);
    const pod = textAt(parse(this.#sandboxes.get(sandbox)?.metadata ?? new Uint8Array()), 1);
    this.containers.push({ pod, name: textAt(parse(metadata), 1), envs: Object.fromEntries(envs) });
    this.#running.set(id, {
      id,
      sandbox,
      metadata,
      labels: allAt(config, 9),
      annotations: allAt(config, 10),
      state: running,
    });
    return id;
  }

  #addService(service: string, answers: Record<string, Answer>): void {
    const handlers: UntypedServiceImplementation = {};
    const definition: Record<string, ServiceDefinition[string]> = {};
    for (const [name, answer] of Object.entries(answers)) {
      definition[name] = {
        path: `/runtime.v1.${service}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      };
      handlers[name] = (call: ServerUnaryCall<Uint8Array, Uint8Array>, done: sendUnaryData<Uint8Array>) =>
        done(null, answer(parse(call.request)));
    }
    this.#server.addService(definition, handlers);
  }
}

function nothing(): Uint8Array {
  return new Uint8Array();
}

function pass(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** PodSandbox (isContainer false) or Container as the lists have them. */
function describe(thing: Thing, isContainer: boolean): Uint8Array {
  const shift = isContainer ? 3 : 0;
  const image = message([1, "pause:1"]);
  const ofContainer = [
    [2, thing.sandbox],
    [4, image],
    [5, imageId],
  ] as const;
  return message(
    [1, thing.id],
    ...(isContainer ? ofContainer : []),
    [isContainer ? 3 : 2, thing.metadata],
    [3 + shift, thing.state],
    [4 + shift, 1],
    ...thing.labels.map((label) => [5 + shift, label] as const),
    ...thing.annotations.map((annotation) => [6 + shift, annotation] as const),
  );
}

/** PodSandboxStatus (labels at 7) or ContainerStatus (labels at 12): the same up to there, but for the address and the image. */
function statusOf(thing: Thing | undefined, labelsAt: number): Uint8Array {
  if (thing === undefined) return new Uint8Array();
  const image = message([1, "pause:1"]);
  const rest =
    labelsAt === 7
      ? ([[5, message([1, "10.0.0.9"])]] as const)
      : ([
          [5, 1],
          [8, image],
          [9, imageId],
        ] as const);
  return message(
    [1, thing.id],
    [2, thing.metadata],
    [3, thing.state],
    [4, 1],
    ...rest,
    ...thing.labels.map((label) => [labelsAt, label] as const),
    ...thing.annotations.map((annotation) => [labelsAt + 1, annotation] as const),
  );
}

function message(...fields: readonly (readonly [number, string | Uint8Array | number])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === "number") writer.uint32(number << 3).int32(value);
    else if (typeof value === "string") writer.uint32((number << 3) | 2).string(value);
    else writer.uint32((number << 3) | 2).bytes(value);
  }
  return writer.finish();
}

function parse(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | number)[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited)
      fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
    else reader.skip(wireType);
  }
  return fields;
}

function allAt(fields: Fields, number: number): readonly Uint8Array[] {
  return (fields.get(number) ?? []).filter((value) => typeof value !== "number");
}

function bytesAt(fields: Fields, number: number): Uint8Array {
  return allAt(fields, number)[0] ?? new Uint8Array();
}

function textAt(fields: Fields, number: number): string {
  return new TextDecoder().decode(bytesAt(fields, number));
}
