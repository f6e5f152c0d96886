// The score matrix: queries downwards, keys to the right, each tile with its outline. Hidden pairs of a tile have a stroke, so that colour is not all that tells them.
(() => {
  const box = byId("matrix"), canvas = box.querySelector("canvas");
  let cell = 1;

  // A colour of the style sheet as the current theme has it.
  const resolved = name => {
    byId("probe").style.color = `var(--tile-${name})`;
    return getComputedStyle(byId("probe")).color;
  };

  function paint() {
    if (!shown) return;
    const { queries, keys } = state, density = Math.min(devicePixelRatio || 1, 2);
    cell = clamp(Math.floor(Math.min(640 / Math.max(queries, keys), 22)), 2, 22);
    canvas.width = keys * cell * density;
    canvas.height = queries * cell * density;
    canvas.style.width = `${keys * cell}px`;
    canvas.style.height = `${queries * cell}px`;
    const context = canvas.getContext("2d"), colours = touches.map(touch => resolved(touch.colour)), edge = resolved("edge"), gap = cell >= 5 ? 1 : 0;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = resolved("gap");
    context.fillRect(0, 0, keys * cell, queries * cell);
    for (let query = 0; query < queries; query++) {
      for (let key = 0; key < keys; key++) {
        context.fillStyle = colours[shown.touched[query * keys + key]];
        context.fillRect(key * cell, query * cell, cell - gap, cell - gap);
      }
    }
    if (cell < 5) return;
    context.strokeStyle = edge;
    context.beginPath();
    for (let query = 0; query < queries; query++) {
      for (let key = 0; key < keys; key++) {
        if (![HIDDEN, COMPUTED_HIDDEN].includes(shown.touched[query * keys + key])) continue;
        context.moveTo(key * cell + cell * 0.3, query * cell + cell * 0.6);
        context.lineTo(key * cell + cell * 0.6, query * cell + cell * 0.3);
      }
    }
    for (const tile of shown.tiles) if (tile.step === 1) context.rect(tile.key * cell - 0.5, tile.query * cell - 0.5, tile.keys * cell, tile.rows * cell);
    context.stroke();
  }

  const about = (query, key) => `query ${query}, key ${key}: ${touches[shown.touched[query * state.keys + key]].text}`;

  box.addEventListener("pointermove", event => {
    const at = cellAt(box, event, cell, state.queries, state.keys);
    if (!at) return;
    ringCell(byId("hover"), ...at, cell);
    byId("hover").hidden = false;
    tip.show(event, about(...at));
  });
  box.addEventListener("pointerleave", () => {
    byId("hover").hidden = true;
    tip.hide();
  });
  box.addEventListener("click", event => {
    const at = cellAt(box, event, cell, state.queries, state.keys);
    if (at) change({ query: at[0], key: at[1] });
  });
  box.addEventListener("keydown", event => {
    const to = moved(event.key, [state.query, state.key], state.queries, state.keys);
    if (!to) return;
    event.preventDefault();
    change({ query: to[0], key: to[1] });
  });

  for (const touch of touches) {
    const swatch = make("span", { className: "swatch", "aria-hidden": "true" });
    swatch.dataset.colour = touch.colour;
    byId("legend").append(make("li", {}, swatch, touch.text));
  }

  theme.changed.push(paint);
  changed.push(values => {
    if (["mask", "queries", "keys", "tile"].some(name => name in values)) paint();
    box.setAttribute("aria-label", `Score matrix of the mask ${mask().name}: ${state.queries} queries x ${state.keys} keys`);
    ringCell(byId("cursor"), state.query, state.key, cell);
    byId("readout").textContent = about(state.query, state.key);
  });
})();
