// One head enlarged, tokens on both axes.
(() => {
  const cell = clamp(Math.floor(660 / Math.max(queries.length, keys.length)), 10, 34);
  const box = byId("matrix"), canvas = box.querySelector("canvas");

  function build() {
    const grid = byId("matrix-grid");
    grid.style.setProperty("--cell", `${cell}px`);
    grid.style.setProperty("--token", `${clamp(cell - 1, 10, 14)}px`);
    canvas.style.width = `${cell * keys.length}px`;
    canvas.style.height = `${cell * queries.length}px`;
    queries.forEach((text, i) => byId("rows").append(tokenLabel("span", text, i)));
    keys.forEach((text, i) => byId("columns").append(tokenLabel("span", text, i)));

    box.addEventListener("pointermove", event => {
      const at = cellAt(box, event, cell, queries.length, keys.length);
      if (!at) return;
      ringCell(byId("hover"), ...at, cell);
      byId("hover").hidden = false;
      point(...at);
      tip.show(event, aboutCell(...at), aboutRow(at[0]));
    });
    box.addEventListener("pointerleave", () => {
      byId("hover").hidden = true;
      tip.hide();
      point(state.query, state.key);
    });
    box.addEventListener("click", event => {
      const at = cellAt(box, event, cell, queries.length, keys.length);
      if (at) choose(...at);
    });
    box.addEventListener("keydown", event => {
      const to = moved(event.key, [state.query, state.key], queries.length, keys.length);
      if (!to) return;
      event.preventDefault();
      choose(...to);
      byId("cursor").scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }

  function choose(query, key) {
    change({ query, key });
    byId("readout").textContent = aboutCell(query, key);
  }

  function point(query, key) {
    light(byId("rows").children, query);
    light(byId("columns").children, key);
  }

  function draw(values) {
    byId("matrix-view").hidden = state.view !== "matrix";
    if (state.view !== "matrix") return;
    if ("layer" in values || "head" in values || "scale" in values || "view" in values) paint();
    box.setAttribute("aria-label", `Weights of layer ${state.layer}, head ${state.head}: ${queries.length} queries x ${keys.length} keys`);
    ringCell(byId("cursor"), state.query, state.key, cell);
    point(state.query, state.key);
    byId("readout").textContent = aboutCell(state.query, state.key);
  }

  function paint() {
    const scale = scales[state.scale].of;
    paintMatrix(canvas, queries.length, keys.length, i => scale(weight(Math.floor(i / keys.length), i % keys.length)));
  }

  build();
  theme.changed.push(paint);
  changed.push(draw);
})();
