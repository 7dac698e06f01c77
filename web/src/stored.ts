/** Signals that are stored in localStorage; where it is disabled they last as long as the page. */
import { effect, signal, type Signal } from "@preact/signals";

const PREFIX = "jmgraph.";

export function readStored<T>(name: string, defaultValue: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? defaultValue : (JSON.parse(text) as T);
  } catch {
    return defaultValue; // storage is disabled, or was written by another version
  }
}

export function writeStored(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    return; // storage is disabled or full: the value lasts as long as the page
  }
}

export function storedSignal<T>(name: string, defaultValue: T): Signal<T> {
  const value = signal(readStored(name, defaultValue));
  effect(() => writeStored(name, value.value));
  return value;
}
