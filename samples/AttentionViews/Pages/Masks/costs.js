// What a call costs, from its tiles. Elements are floats of four bytes.
function costsOf(mask, queries, keys, tile) {
  const { touched, tiles, keysRead } = tilesOf(mask.form, queries, keys, tile), counts = new Array(touches.length).fill(0);
  for (const touch of touched) counts[touch]++;
  const visible = counts[PARTLY] + counts[WHOLE] + counts[COMPUTED], computed = queries * keys - counts[NONE];
  const perPair = 2 * (mask.headDim + mask.valueDim) * mask.heads, { heads, keyValueHeads, headDim, valueDim } = mask;
  return {
    pairs: queries * keys, visible, computed, tiles: tiles.length, wholeTiles: tiles.filter(tile => tile.whole).length,
    flops: visible * perPair, computedFlops: computed * perPair,
    bytes: 4 * (queries * heads * (headDim + valueDim) + keysRead * keyValueHeads * (headDim + valueDim)), matrix: 4 * queries * keys * heads,
  };
}
