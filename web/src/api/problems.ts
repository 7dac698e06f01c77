/** Errors in one shape, however the API reported them. */
import type { CombinedError } from "@urql/core";
import type { Refusal } from "./types";

export interface Problem {
  /** An ErrorCode of the schema, a code of the transport, OFFLINE or STOPPED. */
  readonly code: string;
  readonly reason: string | null;
  readonly message: string;
  readonly retryable: boolean;
  /** Seconds after which to retry; null if unknown. */
  readonly retryAfter: number | null;
}

/** The reader gave up waiting. */
export const STOPPED: Problem = { code: "STOPPED", reason: null, message: "", retryable: true, retryAfter: null };

export function problemOf(error: Pick<CombinedError, "networkError" | "graphQLErrors">): Problem {
  const first = error.graphQLErrors[0];
  if (first) {
    const extensions = first.extensions as Partial<Refusal>;
    return refused({ retryable: false, code: "INTERNAL", ...extensions, message: first.message });
  }
  return {
    code: "OFFLINE",
    reason: null,
    message: error.networkError?.message ?? "",
    retryable: true,
    retryAfter: null,
  };
}

/** The refusal of what needs the account of the site; its code is that of every missing login. */
export const SITE_LOGIN_REQUIRED = "SiteLoginRequired";

export function refused(refusal: Refusal): Problem {
  return {
    code: refusal.code,
    reason: refusal.reason ?? (refusal.__typename === SITE_LOGIN_REQUIRED ? "SITE_LOGIN" : null),
    message: refusal.message,
    retryable: refusal.retryable,
    retryAfter: refusal.retryAfter ?? null,
  };
}
