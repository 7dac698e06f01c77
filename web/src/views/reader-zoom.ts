/** Zoom around a point: by double click, by the wheel with Ctrl, by two fingers, by keys. What is under the point stays there. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { zoomWithin } from "./reading";

/** Of a double click. */
const CLOSE = 2;
/** Pixels of the wheel that change the zoom by a factor of e. */
const WHEEL_PX = 300;
const KEY_FACTOR = 1.25;

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Zoom {
  readonly value: number;
  /** To `value`; the point, in the window, keeps its place. By default the window's middle. */
  readonly to: (value: number, point?: Point) => void;
  readonly toggle: (point: Point) => void;
}

interface Anchor extends Point {
  /** The part of the content left of and above the point, from 0 to 1. */
  readonly across: number;
  readonly down: number;
}

/**
 * `content` is what grows, `move` scrolls by a distance. `key`: another one begins anew, unzoomed.
 */
export function useZoom(content: { current: HTMLElement | null }, key: string, move: (dx: number, dy: number) => void): Zoom {
  const [state, setState] = useState({ key, value: 1 });
  const anchor = useRef<Anchor | null>(null);
  const value = state.key === key ? state.value : 1;
  useLayoutEffect(() => {
    const held = anchor.current;
    const box = content.current?.getBoundingClientRect();
    anchor.current = null;
    if (held && box) move(box.left + held.across * box.width - held.x, box.top + held.down * box.height - held.y);
  }, [value]);
  const to = (wanted: number, point: Point = { x: innerWidth / 2, y: innerHeight / 2 }): void => {
    const box = content.current?.getBoundingClientRect();
    const next = zoomWithin(wanted);
    if (!box || next === value) return;
    anchor.current = { ...point, across: (point.x - box.left) / box.width, down: (point.y - box.top) / box.height };
    setState({ key, value: next });
  };
  return { value, to, toggle: (point) => to(value > 1 ? 1 : CLOSE, point) };
}

/** Ctrl with the wheel, and two fingers where `hasPinch`; else the browser's own zoom is left to two fingers. */
export function useZoomGestures(pane: { current: HTMLElement | null }, zoom: Zoom, hasPinch: boolean): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useLayoutEffect(() => {
    const box = pane.current;
    if (!box) return;
    let held: { distance: number; value: number } | null = null;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      latest.current.to(latest.current.value * Math.exp(-event.deltaY / WHEEL_PX), { x: event.clientX, y: event.clientY });
    };
    const onTouch = (event: TouchEvent): void => {
      const [one, other] = event.touches;
      if (!one || !other) return void (held = null);
      const distance = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      held ??= { distance, value: latest.current.value };
      if (event.cancelable) event.preventDefault();
      latest.current.to((held.value * distance) / held.distance, { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    const touches = hasPinch ? (["touchstart", "touchmove", "touchend"] as const) : [];
    for (const kind of touches) box.addEventListener(kind, onTouch, { passive: false });
    return () => {
      box.removeEventListener("wheel", onWheel);
      for (const kind of touches) box.removeEventListener(kind, onTouch);
    };
  }, []);
}

/** The zoom after a key: "+", "-" and "0"; null for any other. */
export function zoomOfKey(key: string, value: number): number | null {
  if (key === "+" || key === "=") return value * KEY_FACTOR;
  if (key === "-") return value / KEY_FACTOR;
  return key === "0" ? 1 : null;
}
