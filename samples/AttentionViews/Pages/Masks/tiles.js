// What a kernel does with each pair of query and key. The numbers are those of the enumeration in samples/MaskPictures.
const NONE = 0, HIDDEN = 1, PARTLY = 2, WHOLE = 3, COMPUTED = 4, COMPUTED_HIDDEN = 5;

const touches = [
  { text: "not computed", colour: "none" },
  { text: "computed with its tile, and hidden", colour: "hidden" },
  { text: "visible, in a tile that is masked", colour: "partly" },
  { text: "visible, in a tile that all its rows see: the loop without a mask", colour: "whole" },
  { text: "visible by the rest of your own mask, which the kernel computes for this pair", colour: "computed" },
  { text: "hidden by the rest of your own mask, which the kernel computes for this pair", colour: "computed-hidden" },
];

function tilesOf(form, queries, keys, tile) {
  const touched = new Uint8Array(queries * keys), read = new Uint8Array(keys), tiles = [], visible = form.condition ? conditionOf(form.condition) : () => 1;
  for (const piece of layoutOf(form, queries, keys)) {
    const { sequence } = piece;
    for (let first = piece.first; first < piece.end; first += tile.rows) {
      const last = Math.min(first + tile.rows, piece.end) - 1;
      for (const range of rangesOf(form, piece, first, last)) {
        for (let key = range.begin; key < range.end; key++) read[sequence.key + key * sequence.step] = 1;
        for (let from = Math.floor(range.begin / tile.keys) * tile.keys; from < range.end; from += tile.keys) {
          const to = Math.min(from + tile.keys, sequence.keys);
          touchTile(sequence, range, first, last, from, to);
        }
      }
    }
  }

  function touchTile(sequence, range, first, last, from, to) {
    const bounds = [];
    let whole = true;
    for (let row = first; row <= last; row++) {
      const [low, high] = rangeOf(range.zone, row, row), begin = Math.max(low, range.begin), end = Math.min(high, range.end);
      bounds.push([begin, end]);
      whole &&= begin <= from && end >= to;
    }
    tiles.push({ query: sequence.query + first * sequence.step, rows: last - first + 1, key: sequence.key + from * sequence.step, keys: to - from, step: sequence.step, whole: whole && range.zone.decided });
    bounds.forEach(([begin, end], i) => {
      const query = sequence.query + (first + i) * sequence.step, position = sequence.origin + (sequence.start + first + i) * sequence.step;
      for (let key = from; key < to; key++) {
        const place = query * keys + sequence.key + key * sequence.step;
        if (touched[place] > HIDDEN) continue; // by another zone
        touched[place] = key < begin || key >= end ? HIDDEN
          : range.zone.decided ? (whole ? WHOLE : PARTLY)
          : visible(position, sequence.origin + key * sequence.step) ? COMPUTED : COMPUTED_HIDDEN;
      }
    });
  }

  return { touched, tiles, keysRead: read.reduce((sum, x) => sum + x, 0) };
}

// For scripts and tests of the page: what the page computes for a mask.
globalThis.maskTiles = (index, queries, keys, rows, columns) => Array.from(tilesOf(data.masks[index].form, queries, keys, { rows, keys: columns }).touched);
