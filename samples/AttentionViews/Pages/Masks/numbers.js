// What the mask costs now, and with twice as many tokens. With one query, which is a step of decode, only the keys double.
const count = number => number.toLocaleString("en-US");

function amount(number, unit) {
  const steps = unit === "B" ? [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]] : [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const step = steps.find(([size]) => number >= size);
  return step ? `${(number / step[0]).toPrecision(3)} ${step[1]}${unit === "B" ? "" : unit}` : `${number} ${unit}`.trim();
}

changed.push(values => {
  if (!["mask", "queries", "keys", "tile"].some(name => name in values)) return;
  const tile = data.tiles[state.tile], isStep = state.queries === 1 && !isSquare(), twice = [isStep ? 1 : 2 * state.queries, 2 * state.keys];
  const now = costsOf(mask(), state.queries, state.keys, tile), later = costsOf(mask(), ...twice, tile);
  byId("now").textContent = `${state.queries} x ${state.keys}`;
  byId("twice").textContent = `${twice[0]} x ${twice[1]}`;
  const rows = [
    ["pairs of query and key", "pairs", count],
    ["visible pairs", "visible", count],
    ["computed pairs, whole tiles", "computed", count],
    ["tiles", "tiles", count],
    ["tiles without a mask", "wholeTiles", count],
    ["flops of visible pairs, all heads", "flops", x => amount(x, "flop")],
    ["flops of computed tiles, all heads", "computedFlops", x => amount(x, "flop")],
    ["bytes of query, key, value, output", "bytes", x => amount(x, "B")],
    ["bytes of a score matrix, not stored", "matrix", x => amount(x, "B")],
  ];
  byId("costs").tBodies[0].replaceChildren(...rows.map(([text, name, format]) => {
    const row = make("tr", {}, make("th", { scope: "row", textContent: text }), make("td", { textContent: format(now[name]) }), make("td", { textContent: format(later[name]) }), make("td", { textContent: now[name] ? `x ${(later[name] / now[name]).toFixed(2)}` : "" }));
    row.dataset.name = name;
    row.dataset.now = now[name];
    row.dataset.twice = later[name];
    return row;
  }));
  byId("doubling").textContent = now.visible === 0 ? "No pair is visible." : `${isStep ? "Twice as many keys" : "Twice as many tokens"}: ${(later.flops / now.flops).toFixed(2)} times the flops, ${(later.bytes / now.bytes).toFixed(2)} times the bytes.`;
});
