// What the page shows. Everything that draws listens to changes of it.
const state = { mask: 0, queries: 32, keys: 32, tile: 0, query: 0, key: 0 };
const changed = [];
let shown = null; // the tiles of the state

const mask = () => data.masks[state.mask];

// Documents cut queries and keys alike.
const isSquare = () => mask().form.documentLengths.length > 0;

function change(values) {
  Object.assign(state, values);
  if (isSquare()) state.keys = state.queries;
  state.query = Math.min(state.query, state.queries - 1);
  state.key = Math.min(state.key, state.keys - 1);
  address.write({ mask: mask().name, queries: state.queries, keys: state.keys, tile: state.tile || "", query: state.query, key: state.key, theme: theme.choice });
  if (["mask", "queries", "keys", "tile"].some(name => name in values)) shown = tilesOf(mask().form, state.queries, state.keys, data.tiles[state.tile]);
  for (const draw of changed) draw(values);
}

function choose(index) {
  change({ mask: index, queries: data.masks[index].queries, keys: data.masks[index].keys });
}

function readAddress() {
  const asked = address.read(), index = Math.max(data.masks.findIndex(mask => mask.name === asked.mask), 0), chosen = data.masks[index];
  theme.choose(asked.theme ?? "");
  const queries = address.number(asked.queries, 1, data.maxLength, chosen.queries), keys = address.number(asked.keys, 1, data.maxLength, chosen.keys);
  change({
    mask: index, queries, keys, tile: address.number(asked.tile, 0, data.tiles.length - 1, 0),
    query: address.number(asked.query, 0, queries - 1, 0), key: address.number(asked.key, 0, keys - 1, 0),
  });
}
