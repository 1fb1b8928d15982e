type Fields = Readonly<Record<string, unknown>>;

/** Where the requests for devices are, by kind. */
const requestPaths: Readonly<Record<string, readonly string[]>> = {
  ResourceClaim: ["spec", "devices"],
  ResourceClaimTemplate: ["spec", "spec", "devices"],
};

/** An object of resource.k8s.io/v1beta1 in the shape of v1: requests get `exactly`, devices lose `basic`. */
export function fromFirstBeta(kind: string, object: Fields): Fields {
  if (kind === "ResourceSlice")
    return mapDevices(object, ({ basic, ...device }) => ({ ...device, ...(basic as Fields) }));
  return mapRequests(kind, object, ({ name, firstAvailable, ...flat }) => ({
    name,
    ...(Object.values(flat).some(isSet) ? { exactly: flat } : {}),
    ...(firstAvailable === undefined ? {} : { firstAvailable }),
  }));
}

/** An object in the shape of resource.k8s.io/v1 as v1beta1 has it. */
export function toFirstBeta(kind: string, object: Fields): Fields {
  if (kind === "ResourceSlice") return mapDevices(object, ({ name, ...basic }) => ({ name, basic }));
  return mapRequests(kind, object, ({ exactly, ...request }) => ({ ...request, ...(exactly as Fields) }));
}

/** Whether a field says anything: what upstream would leave out of JSON does not. */
const isSet = (value: unknown) => value !== undefined && value !== null && value !== "" && value !== 0;

function mapRequests(kind: string, object: Fields, change: (request: Fields) => Fields): Fields {
  const path = requestPaths[kind];
  return path === undefined
    ? object
    : changeAt(object, path, (devices) =>
        Array.isArray(devices["requests"])
          ? { ...devices, requests: (devices["requests"] as Fields[]).map(change) }
          : devices,
      );
}

function mapDevices(object: Fields, change: (device: Fields) => Fields): Fields {
  return changeAt(object, ["spec"], (spec) =>
    Array.isArray(spec["devices"]) ? { ...spec, devices: (spec["devices"] as Fields[]).map(change) } : spec,
  );
}

function changeAt(object: Fields, path: readonly string[], change: (value: Fields) => Fields): Fields {
  const [first, ...rest] = path;
  if (first === undefined) return change(object);
  const value = object[first];
  return typeof value === "object" && value !== null
    ? { ...object, [first]: changeAt(value as Fields, rest, change) }
    : object;
}
