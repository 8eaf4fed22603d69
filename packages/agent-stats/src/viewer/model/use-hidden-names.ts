import { useState } from "preact/hooks";

/** In this tab only. It says that names are hidden, and no name. */
const PLACE = "agent-stats names";

/** Whether names are hidden: also after a reload, before anything is drawn, as somebody may be looking already. */
export function useHiddenNames(): readonly [hidden: boolean, toggle: () => void] {
  const [hidden, setHidden] = useState(wereHidden);
  const toggle = () => {
    setHidden(!hidden);
    keep(!hidden);
  };
  return [hidden, toggle];
}

function wereHidden(): boolean {
  try {
    return sessionStorage.getItem(PLACE) === "hidden";
  } catch {
    // A page may be shown where nothing can be kept, such as in a sandboxed frame.
    return false;
  }
}

function keep(hidden: boolean): void {
  try {
    if (hidden) sessionStorage.setItem(PLACE, "hidden");
    else sessionStorage.removeItem(PLACE);
  } catch {
    // Then a reload shows names again.
  }
}
