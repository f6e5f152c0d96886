// All heads as small maps, a layer in each row. One of them is in the tab order; arrow keys move between them.
(() => {
  const maps = [];
  const size = clamp(Math.floor((0.4 * Math.min(innerWidth, 1900) - 60) / data.heads) - 11, 26, 64), isFine = Math.max(queries.length, keys.length) > size;

  function build() {
    const box = byId("maps");
    box.style.setProperty("--map", `${size}px`);
    box.style.gridTemplateColumns = `auto repeat(${data.heads}, max-content)`;
    box.append(make("span", { className: "axis", textContent: "layer" }));
    for (let head = 0; head < data.heads; head++) box.append(make("span", { className: "axis", textContent: head }));
    data.layers.forEach((layer, l) => {
      box.append(make("span", { className: "axis", textContent: l }));
      layer.heads.forEach((head, h) => {
        const names = head.patterns.map(name => patterns[name].text);
        const text = `Layer ${l}, head ${h}${names.length ? ": " + names.join(", ") : ""}`;
        const marks = make("span", { className: "marks", "aria-hidden": "true" }, ...head.patterns.map(mark));
        const map = make("button", { className: "map", type: "button", tabIndex: -1, title: text, "aria-label": text }, make("canvas", { className: isFine ? "fine" : "" }), marks);
        map.addEventListener("click", () => change({ layer: l, head: h }));
        map.addEventListener("focus", () => rove(map));
        map.addEventListener("keydown", event => {
          const to = moved(event.key, [l, h], data.layers.length, data.heads);
          if (!to) return;
          event.preventDefault();
          maps[to[0] * data.heads + to[1]].focus();
        });
        maps.push(map);
        box.append(map);
      });
    });

    const filters = byId("filters"), all = data.layers.flatMap(layer => layer.heads);
    filters.append(filter("", "all", all.length, "All heads"));
    for (const [name, pattern] of Object.entries(patterns)) filters.append(filter(name, pattern.text, all.filter(head => head.patterns.includes(name)).length, pattern.why));
    byId("naming").querySelector("ul").append(
      make("li", { textContent: "Shares are means over the rows that can see at least two keys. A key counts as visible to a query if a head of the layer gives it weight." }),
      ...Object.values(patterns).map(pattern => make("li", {}, make("strong", { textContent: pattern.text }), `: ${pattern.why}`)));
  }

  // The letter is the style's, not a text: the label of the button has the whole name.
  const mark = name => make("span", { className: patterns[name].warn ? "mark warn" : "mark", "data-mark": patterns[name].mark });

  function filter(name, text, count, why) {
    const button = make("button", { type: "button", title: why }, ...(name ? [mark(name), " "] : []), `${text} (${count})`);
    button.dataset.name = name;
    button.addEventListener("click", () => change({ filter: state.filter === name ? "" : name }));
    return button;
  }

  function rove(map) {
    for (const other of maps) other.tabIndex = other === map ? 0 : -1;
  }

  function paint() {
    maps.forEach((map, i) => {
      const layer = Math.floor(i / data.heads), head = i % data.heads, scale = scales[state.scale].of;
      const from = rowOf(head, 0) * keys.length, weights = data.layers[layer].weights;
      paintMatrix(map.firstChild, queries.length, keys.length, cell => scale(weights[from + cell] / data.partsOfWeight));
    });
  }

  function draw(values) {
    if ("scale" in values) paint();
    maps.forEach((map, i) => {
      const isChosen = i === state.layer * data.heads + state.head;
      map.setAttribute("aria-pressed", isChosen);
      if (isChosen && !byId("maps").contains(document.activeElement)) rove(map);
      map.classList.toggle("dim", state.filter !== "" && !headOf(Math.floor(i / data.heads), i % data.heads).patterns.includes(state.filter));
    });
    for (const button of byId("filters").children) button.setAttribute("aria-pressed", button.dataset.name === state.filter);
  }

  build();
  theme.changed.push(paint);
  changed.push(draw);
})();
