// The controls, and the first drawing.
function fill(id, options, choose) {
  byId(id).append(...options.map(([value, text]) => make("option", { value, textContent: text })));
  byId(id).addEventListener("change", event => choose(event.target.value));
}

byId("title").textContent = data.title;
byId("note").textContent = data.note;
byId("note").hidden = data.note === "";
byId("summary").textContent = `${data.layers.length} layers x ${data.heads} heads, ${queries.length} queries x ${keys.length} keys. Layers, heads and tokens count from 0.`;
fill("layer", data.layers.map((_, i) => [i, i]), value => change({ layer: +value }));
fill("head", Array.from({ length: data.heads }, (_, i) => [i, i]), value => change({ head: +value }));
fill("scale", Object.entries(scales).map(([value, scale]) => [value, scale.text]), value => change({ scale: value }));
byId("view-matrix").addEventListener("click", () => change({ view: "matrix" }));
byId("view-lines").addEventListener("click", () => change({ view: "lines" }));
byId("threshold").addEventListener("input", event => change({ threshold: event.target.value / 100 }));
byId("theme").addEventListener("change", () => change({}));

function paintScale() {
  const scale = scales[state.scale].of;
  paintMatrix(byId("ramp"), 1, 256, i => scale(i / 255));
}

changed.push(values => {
  byId("layer").value = state.layer;
  byId("head").value = state.head;
  byId("scale").value = state.scale;
  for (const view of ["matrix", "lines"]) byId("view-" + view).setAttribute("aria-pressed", state.view === view);
  if ("scale" in values) paintScale();
});
theme.changed.push(paintScale);
addEventListener("hashchange", readAddress);
readAddress();
