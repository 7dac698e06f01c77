/** Signals that outlive a reload, in localStorage; where that is refused they live as long as the page. */
import { effect, signal, type Signal } from "@preact/signals";

const PREFIX = "jmgraph.";

export function readStored<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise; // storage is off, or holds what another version wrote
  }
}

export function writeStored(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    return; // storage is off or full: the value lives as long as the page
  }
}

export function remembered<T>(name: string, otherwise: T): Signal<T> {
  const value = signal(readStored(name, otherwise));
  effect(() => writeStored(name, value.value));
  return value;
}
