/** The least that counting can cost: one addition in a typed array, at each of these places. */
export function countBare(cells: Float64Array, places: Int32Array): number {
  for (let i = 0; i < places.length; i++) cells[places[i] as number] = (cells[places[i] as number] as number) + 1;
  return cells[places[0] as number] as number;
}
