import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { openScreen } from "./screen.ts";

function terminal() {
  const output = Object.assign(new EventEmitter(), {
    columns: 80,
    rows: 3,
    text: "",
    write(text: string) {
      this.text += text;
    },
  });
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    raw: [] as boolean[],
    setRawMode(isRaw: boolean) {
      this.raw.push(isRaw);
    },
    resume() {},
    pause() {},
  });
  return { output, input };
}

const open = () => {
  const { output, input } = terminal();
  const [keys, resized] = [[] as string[], { times: 0 }];
  const screen = openScreen(output, input, { key: (key) => keys.push(key), resize: () => resized.times++ });
  output.text = "";
  return { output, input, screen, keys, resized };
};

describe("the screen", () => {
  test("is drawn over, never cleared, and not at all where nothing changed", () => {
    const { output, screen } = open();
    screen.draw(["a", "b"]);
    const first = output.text;
    expect(first).toContain("\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J");
    expect(first).not.toContain("\u001b[2J");
    screen.draw(["a", "b"]);
    expect(output.text).toBe(first);
    screen.draw(["a", "c"]);
    expect(output.text).not.toBe(first);
    screen.close();
  });

  test("does not erase the last cell of a full line", () => {
    const { output, screen } = open();
    const full = `\u001b[1m${"x".repeat(80)}\u001b[22m`;
    screen.draw([full, "y".repeat(79)]);
    expect(output.text).toContain(`${full}\r\n${"y".repeat(79)}\u001b[K`);
    screen.close();
  });

  test("has no more lines than rows, as more would scroll it", () => {
    const { output, screen } = open();
    screen.draw(["1", "2", "3", "4"]);
    expect(output.text).not.toContain("4");
    screen.close();
  });

  test("is drawn again at another size", () => {
    const { output, screen, resized } = open();
    screen.draw(["a"]);
    output.text = "";
    output.columns = 120;
    output.emit("resize");
    expect({ ...resized, columns: screen.columns }).toEqual({ times: 1, columns: 120 });
    screen.draw(["a"]);
    expect(output.text).toContain("a");
    screen.close();
  });

  test("gives the terminal back once, and hears no key any more", () => {
    const { output, input, screen, keys } = open();
    input.emit("data", "p");
    screen.close();
    screen.close();
    expect(output.text).toBe("\u001b[?7h\u001b[?25h\u001b[?1049l");
    expect(input.raw).toEqual([true, false]);
    input.emit("data", "q");
    output.emit("resize");
    screen.draw(["late"]);
    expect(keys).toEqual(["p"]);
    expect(output.text).not.toContain("late");
  });

  test("gives it back when the process ends, whatever ends it", () => {
    const before = process.listenerCount("exit");
    const { output, screen } = open();
    const leave = process.listeners("exit").at(-1) as (code: number) => void;
    leave(1);
    expect(output.text).toContain("\u001b[?1049l");
    screen.close();
    expect(process.listenerCount("exit")).toBe(before);
  });
});
