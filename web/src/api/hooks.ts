/** Queries for components. */
import type { OperationResult, RequestPolicy } from "@urql/core";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { pipe, subscribe } from "wonka";
import { client, live } from "./client";
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
 * these is never shown. A refresh that fails takes away nothing that is shown, and what the server could not be
 * reached for is asked again once it is back.
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
      subscribe((result) => setHeld((before) => ({ key, result: kept(before.key === key ? before.result : null, result) }))),
    );
    return unsubscribe;
    // The key says all there is to say about query, variables and attempt.
  }, [key]);
  const result = held.key === key ? held.result : null;
  const data = result?.data ?? null;
  const problem = result?.error ? problemOf(result.error) : null;
  const reload = useCallback(() => setAttempt((value) => value + 1), []);
  const wasLive = useRef(live.value);
  useEffect(() => {
    const isBack = live.value && !wasLive.current;
    wasLive.current = live.value;
    if (isBack && !data && problem?.code === "OFFLINE") reload();
  }, [live.value]);
  return { data, problem, isLoading: variables !== null && result === null, reload };
}

function kept<Data>(before: OperationResult<Data> | null, after: OperationResult<Data>): OperationResult<Data> {
  return after.error && !after.data && before?.data ? { ...after, data: before.data } : after;
}
