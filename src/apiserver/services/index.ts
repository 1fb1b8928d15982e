export { createServiceAllocator, type ServiceAllocatorOptions } from "./allocator.ts";
