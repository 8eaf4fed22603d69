export function showServed(element: HTMLElement, base: string): void {
  element.textContent = base;
}
