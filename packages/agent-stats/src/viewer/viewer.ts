import { h, render } from "preact";
import type { Protocol } from "../record/protocol.ts";
import type { StatsReader } from "../store/store.ts";
import { App } from "./app.tsx";
import { fetchSource } from "./fetch-source.ts";
import { type ReportKeys, storeSource, withReports } from "./own-source.ts";
import { StartProblem } from "./parts/message.tsx";
import type { ViewerSource } from "./source.ts";
import controls from "./style/controls.css?inline";
import narrowAndPrint from "./style/narrow-and-print.css?inline";
import numbers from "./style/numbers.css?inline";
import page from "./style/page.css?inline";

export type { FetchSource, ServedAbout } from "./fetch-source.ts";
export { fetchSource } from "./fetch-source.ts";
export type { ReportKeys } from "./own-source.ts";
export type { MadeReport, ReportWishes, ViewerSource } from "./source.ts";

export interface ViewerOptions {
  /** Where the screens are shown. What is in it is replaced. */
  readonly element: HTMLElement;
  /** What the counters mean: `what is this?` tells it, and rates are made by it. Default: none. */
  readonly protocols?: readonly Protocol[];
  /** Users who are shown only on request, such as hidden profiles. Default: none. */
  readonly hiddenUsers?: Iterable<string | number>;
  /**
   * The store that keeps the keys of reports, so that their pseudonyms can be resolved; for a source that makes no reports
   * of its own. Default: the source, if it is a store; else none, and the page says so.
   */
  readonly reportKeys?: ReportKeys;
  /** Offers to forget a user and to start from zero, after a typed confirmation. Default: false. */
  readonly canWrite?: boolean;
  /**
   * Makes each screen an entry of the browser's history, so that its back button works; never with a name in it. For a
   * page that is nothing but the viewer. Default: false.
   */
  readonly useHistory?: boolean;
  /**
   * How often a source is looked at that does not tell of changes, that cannot be read, or in which an app is shown as
   * running, in milliseconds: one that is killed tells nobody. Default: 5 000.
   */
  readonly refreshEvery?: number;
}

export interface Viewer {
  /** Takes the screens away and stops looking. The source stays open: it is the host's. */
  close(): void;
}

/** In this order: what comes later may say otherwise. */
const STYLE = [page, controls, numbers, narrowAndPrint].join("\n");

const REFRESH_EVERY_MS = 5_000;

/**
 * Shows statistics in a page: of the app's own handle, of a store that is only looked at, or of a server.
 *
 * @example
 * const stats = await openAgentStats({ protocols: [mqtt], store });
 * createViewer(stats, { element: document.body, protocols: [mqtt] });
 */
export function createViewer(given: ViewerSource | StatsReader, options: ViewerOptions): Viewer {
  const {
    element,
    protocols = [],
    hiddenUsers = [],
    canWrite = false,
    useHistory = false,
    refreshEvery = REFRESH_EVERY_MS,
  } = options;
  const isStore = "sums" in given;
  const own = isStore ? storeSource(given) : given;
  const source = own.makeReport ? own : withReports(own, protocols, options.reportKeys ?? (isStore ? given : null));
  const takeStyleAway = addStyle(element);
  const hidden = new Set([...hiddenUsers].map(String));
  render(h(App, { source, protocols, hidden, canWrite, useHistory, refreshEveryMs: refreshEvery }), element);
  return {
    close() {
      render(null, element);
      takeStyleAway();
    },
  };
}

/**
 * The page of `agent-stats view`: asks the server that it came from.
 *
 * @param base as for {@link fetchSource}
 */
export async function showServed(element: HTMLElement, base: string): Promise<void> {
  try {
    const source = await fetchSource(base);
    const { canWrite, hiddenUsers } = source.about;
    createViewer(source, { element, protocols: source.protocols, hiddenUsers, canWrite, useHistory: true });
  } catch (error) {
    addStyle(element);
    render(h(StartProblem, { error: error instanceof Error ? error : new Error(String(error)) }), element);
  }
}

/** A sheet that is made by the script, as a page's policy may allow no other. */
function addStyle(element: HTMLElement): () => void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = element.getRootNode();
  const holder = root instanceof ShadowRoot ? root : document;
  holder.adoptedStyleSheets = [...holder.adoptedStyleSheets, sheet];
  return () => {
    holder.adoptedStyleSheets = holder.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}
