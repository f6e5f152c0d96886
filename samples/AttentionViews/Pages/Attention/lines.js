// Lines between two columns of tokens. While the pointer or the focus is on a token, or it is kept by a click, only its lines are drawn.
(() => {
  const height = clamp(Math.floor(760 / Math.max(queries.length, keys.length)), 17, 28), width = 320;
  const svg = byId("lines"), sides = { q: byId("line-queries"), k: byId("line-keys") };
  let active = "";

  function build() {
    const grid = byId("lines-grid");
    grid.style.setProperty("--line-height", `${height}px`);
    grid.style.setProperty("--token", `${clamp(height - 5, 12, 15)}px`);
    svg.style.height = `${height * Math.max(queries.length, keys.length)}px`;
    for (const side of ["q", "k"]) (side === "q" ? queries : keys).forEach((text, i) => sides[side].append(token(side, text, i)));
    svg.addEventListener("pointermove", event => {
      const { query, key } = event.target.dataset;
      if (query === undefined) tip.hide();
      else tip.show(event, aboutCell(+query, +key));
    });
    svg.addEventListener("pointerleave", () => tip.hide());
  }

  function token(side, text, i) {
    const name = side + i, button = tokenLabel("button", text, i);
    button.type = "button";
    button.tabIndex = i === 0 ? 0 : -1;
    button.addEventListener("pointerenter", () => show(name));
    button.addEventListener("pointerleave", () => show(""));
    button.addEventListener("focus", () => {
      for (const other of sides[side].children) other.tabIndex = other === button ? 0 : -1;
      show(name);
    });
    button.addEventListener("blur", () => show(""));
    button.addEventListener("click", () => change({ pinned: state.pinned === name ? "" : name }));
    button.addEventListener("keydown", event => {
      const count = sides[side].children.length;
      const to = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: count - 1 }[event.key];
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") sides[event.key === "ArrowLeft" ? "q" : "k"].querySelector("[tabindex='0']").focus();
      else if (to === undefined) return;
      else sides[side].children[clamp(to, 0, count - 1)].focus();
      event.preventDefault();
    });
    return button;
  }

  function show(name) {
    active = name;
    drawLines();
  }

  // The largest weights of a token, for the line below the controls.
  function about(name) {
    const isQuery = name[0] === "q", index = +name.slice(1), others = isQuery ? keys : queries;
    const top = others.map((text, i) => [text, isQuery ? weight(index, i) : weight(i, index)]).sort((x, y) => y[1] - x[1]).slice(0, 4).filter(([, value]) => value > 0);
    const list = top.map(([text, value]) => `${quoted(text)} ${decimals(value)}`).join(", ");
    return `${isQuery ? "query" : "key"} ${quoted((isQuery ? queries : keys)[index])} (${index}) ${isQuery ? "reads" : "is read by"}: ${list || "nothing"}`;
  }

  function drawLines() {
    if (state.view !== "lines") return;
    const name = active || state.pinned, only = name ? +name.slice(1) : -1, scale = scales[state.scale].of, drawn = [];
    for (let query = 0; query < queries.length; query++) {
      if (name[0] === "q" && query !== only) continue;
      for (let key = 0; key < keys.length; key++) {
        if (name[0] === "k" && key !== only) continue;
        const value = weight(query, key);
        if (value > 0 && value >= state.threshold) drawn.push([value, query, key]);
      }
    }
    drawn.sort((x, y) => x[0] - y[0]); // strong lines over weak ones
    svg.replaceChildren(...drawn.map(([value, query, key]) => line(scale(value), query, key)));
    for (const side of ["q", "k"]) {
      light(sides[side].children, name[0] === side ? only : -1);
      for (let i = 0; i < sides[side].children.length; i++) sides[side].children[i].setAttribute("aria-pressed", state.pinned === side + i);
    }
    byId("readout").textContent = name ? about(name) : `${drawn.length} lines with a weight of ${state.threshold.toFixed(2)} or more`;
  }

  function line(opacity, query, key) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [name, value] of Object.entries({ x1: 0, y1: (query + 0.5) * height, x2: width, y2: (key + 0.5) * height, "stroke-opacity": opacity.toFixed(3) })) node.setAttribute(name, value);
    node.dataset.query = query;
    node.dataset.key = key;
    return node;
  }

  function draw() {
    byId("lines-view").hidden = state.view !== "lines";
    byId("threshold-label").hidden = state.view !== "lines";
    byId("threshold-value").textContent = state.threshold.toFixed(2);
    byId("threshold").value = Math.round(state.threshold * 100);
    drawLines();
  }

  build();
  changed.push(draw);
})();
