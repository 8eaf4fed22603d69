import { PHASES, type Phase } from "../../child/spec.ts";
import { type Judged, WRONGS, type WrongOfLife } from "../../oracle/judge.ts";

/** What was seen in all lives that were killed. */
export class Score {
  kills = 0;
  readonly #wrongs = new Map<WrongOfLife, number>();
  readonly #landed = new Map<Phase | "between", number>();
  #counts = 0;
  #worstLossMs = 0;
  #worstErrorLossMs = 0;

  add({ findings, landed, lossMs, errorLossMs, counts }: Judged): void {
    this.kills += 1;
    for (const wrong of new Set(findings.map((finding) => finding.wrong))) {
      this.#wrongs.set(wrong, (this.#wrongs.get(wrong) ?? 0) + 1);
    }
    this.#landed.set(landed, (this.#landed.get(landed) ?? 0) + 1);
    this.#counts += counts;
    this.#worstLossMs = Math.max(this.#worstLossMs, lossMs);
    this.#worstErrorLossMs = Math.max(this.#worstErrorLossMs, errorLossMs);
  }

  of(wrong: WrongOfLife): number {
    return this.#wrongs.get(wrong) ?? 0;
  }

  seen(): Record<string, number> {
    return {
      ...Object.fromEntries(WRONGS.map((wrong) => [wrong, this.of(wrong)])),
      counts: this.#counts,
      worstLossMs: Math.round(this.#worstLossMs),
      worstErrorLossMs: Math.round(this.#worstErrorLossMs),
      ...Object.fromEntries(
        [...PHASES, "between" as const].map((phase) => [`in ${phase}`, this.#landed.get(phase) ?? 0]),
      ),
    };
  }
}
