/** Queries for components. */
import type { OperationResult, RequestPolicy } from "@urql/core";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { pipe, subscribe } from "wonka";
import { titleScript } from "../i18n/titles";
import { client, live } from "./client";
import { problemOf, STOPPED, type Problem } from "./problems";

export interface QueryResult<Data> {
  readonly data: Data | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
  /** Gives the request up: `problem` is STOPPED until the next `reload`. */
  readonly stop: () => void;
}

interface QueryState<Data> {
  readonly key: string;
  readonly question: string;
  readonly result: OperationResult<Data> | null;
}

/**
 * The result of `query`, updated with the cache. `given` are its variables, null: not sent yet. A result for other variables is
 * never shown. A refresh keeps what is shown until it is there, or where it failed, and a request that did not reach the server is repeated once
 * it is back.
 */
export function useQuery<Data>(
  query: string,
  given: Record<string, unknown> | null,
  policy: RequestPolicy = "cache-first",
): QueryResult<Data> {
  const variables = given && query.includes("$script") ? { ...given, script: scriptArgument() } : given;
  const [attempt, setAttempt] = useState(0);
  const question = `${query} ${JSON.stringify(variables)}`;
  const key = variables === null ? "" : `${attempt} ${question}`;
  const [state, setState] = useState<QueryState<Data>>({ key: "", question: "", result: null });
  const [stoppedKey, setStoppedKey] = useState("");
  const isStopped = variables !== null && stoppedKey === key;
  useLayoutEffect(() => {
    if (variables === null || isStopped) return;
    const requestPolicy = attempt > 0 ? "network-only" : policy;
    const { unsubscribe } = pipe(
      client.query<Data>(query, variables, { requestPolicy }),
      subscribe((result) => setState((before) => ({ key, question, result: withPreviousData(before.question === question ? before.result : null, result) }))),
    );
    return unsubscribe;
    // The key covers query, variables and attempt.
  }, [key, isStopped]);
  const result = state.key === key ? state.result : null;
  const data = (state.question === question ? state.result?.data : null) ?? null;
  const problem = result?.error ? problemOf(result.error) : isStopped ? STOPPED : null;
  const reload = useCallback(() => setAttempt((value) => value + 1), []);
  const stop = useCallback(() => setStoppedKey(key), [key]);
  const wasLive = useRef(live.value);
  useEffect(() => {
    const isBack = live.value && !wasLive.current;
    wasLive.current = live.value;
    if (isBack && !data && problem?.code === "OFFLINE") reload();
  }, [live.value]);
  return { data, problem, isLoading: variables !== null && result === null && !data && !isStopped, reload, stop };
}

function scriptArgument(): string | null {
  return titleScript.value === "SITE" ? null : titleScript.value;
}

function withPreviousData<Data>(before: OperationResult<Data> | null, after: OperationResult<Data>): OperationResult<Data> {
  return after.error && !after.data && before?.data ? { ...after, data: before.data } : after;
}
