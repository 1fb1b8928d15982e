export { createServiceAllocator, type ServiceAllocator, type ServiceAllocatorOptions } from "./allocator.ts";
export { runPortRepair } from "./port-repair.ts";
export { familiesOf } from "./families.ts";
