export { exponential, MetricsRegistry } from "../../../base/index.ts";
export type {
  Counted,
  Counter,
  Description,
  Exposition,
  Family,
  Histogram,
  Reading,
} from "../../../base/index.ts";
