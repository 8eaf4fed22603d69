import { useEffect, useState } from "preact/hooks";
import { hasText, textOf } from "../model/copy.ts";
import { type Place, SCREENS, type View } from "../view.ts";

interface NavigationProps {
  readonly place: Place;
  readonly go: (place: Place) => void;
  readonly canChange: boolean;
  readonly canReport: boolean;
}

export function Navigation({ place, go, canChange, canReport }: NavigationProps) {
  const screens = Object.entries(SCREENS).filter(([screen]) => screen !== "report" || canReport);
  const all = [...screens, ...(canChange ? [["actions", "Actions"] as const] : [])] as [keyof typeof SCREENS, string][];
  const isHere = (screen: string) => place.screen === screen || (place.screen === "server" && screen === "servers");
  return (
    <nav aria-label="Screens">
      <ul>
        {all.map(([screen, title]) => (
          <li key={screen}>
            <button type="button" aria-current={isHere(screen) ? "page" : undefined} onClick={() => go({ screen })}>
              {title}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface ToolbarProps {
  readonly paused: boolean;
  readonly hideNames: boolean;
  readonly view: View | null;
  readonly place: Place;
  readonly onRefresh: () => void;
  readonly onPause: () => void;
  readonly onHideNames: () => void;
}

const COPIED_MS = 2_000;

export function Toolbar({ paused, hideNames, view, place, onRefresh, onPause, onHideNames }: ToolbarProps) {
  const [copied, setCopied] = useState("");
  useEffect(() => {
    if (copied === "") return;
    const timer = setTimeout(() => setCopied(""), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    if (!view) return;
    const done = await navigator.clipboard.writeText(textOf(view, place)).then(
      () => "Copied",
      () => "The browser did not allow it",
    );
    setCopied(done);
  };
  return (
    <fieldset class="toolbar">
      <legend class="unseen">This page</legend>
      <button type="button" onClick={onRefresh}>
        Refresh
      </button>
      <button type="button" aria-pressed={paused} onClick={onPause}>
        Pause
      </button>
      <button type="button" aria-pressed={hideNames} onClick={onHideNames}>
        Hide names
      </button>
      <button type="button" onClick={copy} disabled={!view || !hasText(place)}>
        Copy
      </button>
      <button type="button" onClick={() => print()}>
        Print
      </button>
      <span class="done" role="status">
        {copied}
      </span>
    </fieldset>
  );
}
