import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1035Label, isDNS1123Subdomain, isValidPortNum } from "../../apimachinery/index.ts";
import { invalidFor } from "./checks.ts";
import { parseGoUrl } from "./go-url.ts";

/** Versions of reviews that servers of the release before understand too. */
const acceptedReviews = ["v1", "v1beta1"];
const urlForm = "; desired format: https://host[/path]";

interface ServiceReference {
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
  readonly port?: number;
}

/** Checks whom a webhook calls: a URL or a service. */
export function validateWebhookClient(
  config: { readonly url?: string; readonly service?: ServiceReference } | undefined,
  path: FieldPath,
): FieldError[] {
  const { url, service } = config ?? {};
  if (url !== undefined && service === undefined) return validateUrl(url, path.child("url"));
  if (service !== undefined && url === undefined) return validateService(service, path.child("service"));
  return [fieldErrors.required(path, "exactly one of url or service is required")];
}

function validateUrl(text: string, path: FieldPath): FieldError[] {
  const url = parseGoUrl(text);
  if ("problem" in url) {
    return [fieldErrors.required(path, `url must be a valid URL: ${url.problem}${urlForm}`)];
  }
  const errors: FieldError[] = [];
  const refuse = (value: string, why: string) => errors.push(fieldErrors.invalid(path, value, why));
  if (url.scheme !== "https") refuse(url.scheme, `'https' is the only allowed URL scheme${urlForm}`);
  if (url.host === "") refuse(url.host, `host must be provided${urlForm}`);
  if (url.user !== undefined) refuse(url.user, "user information is not permitted in the URL");
  if (url.fragment !== "") refuse(url.fragment, "fragments are not permitted in the URL");
  if (url.query !== "") refuse(url.query, "query parameters are not permitted in the URL");
  return errors;
}

function validateService(service: ServiceReference, path: FieldPath): FieldError[] {
  const { namespace = "", name = "", path: urlPath = "", port = 0 } = service;
  const errors: FieldError[] = [];
  // Upstream takes the one for the other: a missing namespace is reported as a missing name.
  if (namespace === "") errors.push(fieldErrors.required(path.child("name"), "service name is required"));
  if (name === "") {
    errors.push(fieldErrors.required(path.child("namespace"), "service namespace is required"));
  }
  return [
    ...errors,
    ...validateServicePort(port, path.child("port")),
    ...validatePath(urlPath, path.child("path")),
  ];
}

/** Checks the port at which a service is called. */
export function validateServicePort(port: number, path: FieldPath): FieldError[] {
  const problems = isValidPortNum(port);
  return problems.length === 0
    ? []
    : [fieldErrors.invalid(path, port, `port is not valid: ${problems.join(", ")}`)];
}

function validatePath(urlPath: string, path: FieldPath): FieldError[] {
  if (urlPath === "" || urlPath === "/") return [];
  if (urlPath === "//") return [fieldErrors.invalid(path, urlPath, "segment[0] may not be empty")];
  const errors: FieldError[] = [];
  if (!urlPath.startsWith("/")) errors.push(fieldErrors.invalid(path, urlPath, "must start with a '/'"));
  const segments = urlPath.slice(1).replace(/\/$/, "").split("/");
  for (const [index, segment] of segments.entries()) {
    const problems =
      segment === ""
        ? [`segment[${index}] may not be empty`]
        : isDNS1123Subdomain(segment).map((problem) => `segment[${index}]: ${problem}`);
    errors.push(...invalidFor(path, urlPath, problems));
  }
  return errors;
}

/** Whether a webhook that says which versions it understands has one in common with the server. */
export const hasAcceptedReview = (versions: readonly string[] | undefined): boolean =>
  !versions?.length || versions.some((version) => acceptedReviews.includes(version));

/** Checks which versions of reviews a webhook understands. */
export function validateReviewVersions(
  versions: readonly string[] | undefined,
  path: FieldPath,
  options: { readonly requireAccepted: boolean; readonly missing?: string },
): FieldError[] {
  if (!versions?.length) return [fieldErrors.required(path, options.missing ?? "")];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const problems = seen.has(version) ? ["duplicate version"] : isDNS1035Label(version);
    errors.push(...invalidFor(path.index(index), version, problems));
    seen.add(version);
  }
  if (options.requireAccepted && !hasAcceptedReview(versions)) {
    const why = `must include at least one of ${acceptedReviews.join(", ")}`;
    errors.push(fieldErrors.invalid(path, versions, why));
  }
  return errors;
}

/** What is said when a webhook names no versions of reviews. */
export const missingReviewVersions = `must specify one of ${acceptedReviews.join(", ")}`;
