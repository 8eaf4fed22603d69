import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Gives the focus back to whatever had it, where a change moved its row: a browser takes the focus from what is moved.
 */
export function useKeptFocus(changed: unknown): void {
  const last = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    const remember = (event: FocusEvent) => {
      last.current = event.target instanceof HTMLElement ? event.target : null;
    };
    // Somebody who clicks beside everything wants nothing to have it.
    const forget = () => {
      last.current = null;
    };
    document.addEventListener("focusin", remember);
    document.addEventListener("pointerdown", forget);
    return () => {
      document.removeEventListener("focusin", remember);
      document.removeEventListener("pointerdown", forget);
    };
  }, []);
  useLayoutEffect(() => {
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (lost && last.current?.isConnected) last.current.focus({ preventScroll: true });
  }, [changed]);
}
