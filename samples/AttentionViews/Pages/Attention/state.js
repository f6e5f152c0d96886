// What the page shows. Everything that draws listens to changes of it.
const queries = data.queries, keys = data.keys;
for (const layer of data.layers) for (const name of ["weights", "entropy", "largest"]) layer[name] = wholeNumbers(layer[name]);

const state = { layer: 0, head: 0, view: "matrix", scale: "root", query: 0, key: 0, threshold: 0.05, pinned: "", filter: "" };
const changed = [];

function change(values) {
  Object.assign(state, values);
  address.write({
    layer: state.layer, head: state.head, view: state.view, query: state.query, key: state.key,
    scale: state.scale === "root" ? "" : state.scale, lines: state.threshold === 0.05 ? "" : Math.round(state.threshold * 100), token: state.pinned, name: state.filter, theme: theme.choice,
  });
  for (const draw of changed) draw(values);
}

function readAddress() {
  const asked = address.read();
  theme.choose(asked.theme ?? "");
  change({
    layer: address.number(asked.layer, 0, data.layers.length - 1, 0), head: address.number(asked.head, 0, data.heads - 1, 0),
    view: asked.view === "lines" ? "lines" : "matrix", scale: Object.hasOwn(scales, asked.scale ?? "") ? asked.scale : "root",
    query: address.number(asked.query, 0, queries.length - 1, 0), key: address.number(asked.key, 0, keys.length - 1, 0),
    threshold: address.number(asked.lines, 0, 50, 5) / 100,
    pinned: /^[qk]\d{1,9}$/.test(asked.token ?? "") && +asked.token.slice(1) < (asked.token[0] === "q" ? queries : keys).length ? asked.token : "",
    filter: Object.hasOwn(patterns, asked.name ?? "") ? asked.name : "",
  });
}

const headOf = (layer, head) => data.layers[layer].heads[head];
const rowOf = (head, query) => head * queries.length + query;
const parts = (query, key, layer = state.layer, head = state.head) => data.layers[layer].weights[rowOf(head, query) * keys.length + key];
const weight = (query, key) => parts(query, key) / data.partsOfWeight;
const entropy = query => data.layers[state.layer].entropy[rowOf(state.head, query)] / data.partsOfEntropy;
const largest = query => data.layers[state.layer].largest[rowOf(state.head, query)] / data.partsOfWeight;
