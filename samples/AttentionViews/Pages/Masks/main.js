// The controls, and the first drawing.
byId("title").textContent = data.title;
data.masks.forEach((mask, i) => {
  const button = make("button", { type: "button", textContent: mask.name, tabIndex: -1 });
  button.addEventListener("click", () => choose(i));
  button.addEventListener("keydown", event => {
    const last = data.masks.length - 1, to = { ArrowUp: i - 1, ArrowLeft: i - 1, ArrowDown: i + 1, ArrowRight: i + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    byId("masks").children[clamp(to, 0, last)].focus();
  });
  button.addEventListener("focus", () => rove(i));
  byId("masks").append(button);
});
byId("tile").append(...data.tiles.map((tile, i) => make("option", { value: i, textContent: `${tile.rows} x ${tile.keys} (${tile.name})` })));
byId("tile").addEventListener("change", event => change({ tile: +event.target.value }));
byId("theme").addEventListener("change", () => change({}));
for (const name of ["queries", "keys"]) {
  byId(name).max = data.maxLength;
  byId(name).addEventListener("input", event => {
    const value = +event.target.value;
    change(byId("square").checked ? { queries: value, keys: value } : { [name]: value });
  });
}
byId("square").addEventListener("change", () => change(byId("square").checked ? { queries: state.keys } : {}));

function rove(index) {
  [...byId("masks").children].forEach((button, i) => button.tabIndex = i === index ? 0 : -1);
}

changed.push(values => {
  if ("mask" in values) {
    [...byId("masks").children].forEach((button, i) => button.setAttribute("aria-pressed", i === state.mask));
    rove(state.mask);
    byId("name").textContent = mask().name;
    byId("code").textContent = mask().code;
    byId("about").textContent = mask().note;
    byId("about").hidden = mask().note === "";
    byId("square").checked = state.queries === state.keys;
    byId("square").disabled = isSquare();
    byId("shape").textContent = `${mask().heads} heads, ${mask().keyValueHeads} key-value heads, ${mask().headDim} elements in a head`;
  }
  for (const name of ["queries", "keys"]) {
    byId(name).value = state[name];
    byId(name + "-value").textContent = state[name];
  }
  byId("tile").value = state.tile;
});
addEventListener("hashchange", readAddress);
readAddress();
