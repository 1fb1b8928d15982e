import type { Container, ResourceRequirements } from "../../api/types/core-v1.ts";
import { quantityValue } from "../quantity.ts";

const resizable = ["cpu", "memory"] as const;

/** What a change of a running container's resources asks for: nothing, new limits, or a restart. */
export function planResize(
  container: Container,
  applied: ResourceRequirements,
): "none" | "update" | "restart" {
  const wanted = container.resources ?? {};
  const changed = resizable.filter((name) =>
    (["requests", "limits"] as const).some(
      (list) => value(wanted[list]?.[name]) !== value(applied[list]?.[name]),
    ),
  );
  if (changed.length === 0) return "none";
  const restarts = changed.some((name) =>
    container.resizePolicy?.some(
      (policy) => policy.resourceName === name && policy.restartPolicy === "RestartContainer",
    ),
  );
  return restarts ? "restart" : "update";
}

const value = (quantity: string | undefined) =>
  quantity === undefined ? undefined : quantityValue(quantity);
