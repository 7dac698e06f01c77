/** Queries for components. */
import type { OperationResult, RequestPolicy } from "@urql/core";
import { useCallback, useLayoutEffect, useState } from "preact/hooks";
import { pipe, subscribe } from "wonka";
import { client } from "./client";
import { problemOf, type Problem } from "./problems";

export interface Answer<Data> {
  readonly data: Data | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface Held<Data> {
  readonly key: string;
  readonly result: OperationResult<Data> | null;
}

/**
 * The answer of `query`, live with the cache. `variables` null: not asked yet. An answer to other variables than
 * these is never shown.
 */
export function useQuery<Data>(
  query: string,
  variables: Record<string, unknown> | null,
  policy: RequestPolicy = "cache-first",
): Answer<Data> {
  const [attempt, setAttempt] = useState(0);
  const key = variables === null ? "" : `${attempt} ${query} ${JSON.stringify(variables)}`;
  const [held, setHeld] = useState<Held<Data>>({ key: "", result: null });
  useLayoutEffect(() => {
    if (variables === null) return;
    const requestPolicy = attempt > 0 ? "network-only" : policy;
    const { unsubscribe } = pipe(
      client.query<Data>(query, variables, { requestPolicy }),
      subscribe((result) => setHeld({ key, result })),
    );
    return unsubscribe;
    // The key says all there is to say about query, variables and attempt.
  }, [key]);
  const result = held.key === key ? held.result : null;
  return {
    data: result?.data ?? null,
    problem: result?.error ? problemOf(result.error) : null,
    isLoading: variables !== null && result === null,
    reload: useCallback(() => setAttempt((value) => value + 1), []),
  };
}
