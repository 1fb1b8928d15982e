export {
  createServiceAllocator,
  defaultNodePorts,
  type ServiceAllocator,
  type ServiceAllocatorOptions,
} from "./allocator.ts";
export { familiesOf } from "./families.ts";
