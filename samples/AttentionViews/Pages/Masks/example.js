// Weights of a small example, without and with the mask. Hidden pairs have no number.
changed.push(values => {
  if (!("mask" in values)) return;
  drawExample();
});
theme.changed.push(() => drawExample());

function drawExample() {
  const example = mask().example;
  byId("example").hidden = !example;
  if (!example) return;
  for (const name of ["unmasked", "masked"]) {
    const table = byId(name), table256 = ramp.table();
    const head = make("tr", {}, make("td"), ...example.keys.map(text => make("th", { scope: "col" }, label(text))));
    const rows = example.queries.map((text, i) => make("tr", {}, make("th", { scope: "row" }, label(text)), ...example.keys.map((_, j) => {
      const weight = example[name][i * example.keys.length + j], colour = table256[Math.round(255 * Math.sqrt(clamp(weight, 0, 1)))];
      const cell = make("td", { textContent: weight === 0 ? "" : weight.toFixed(2).replace(/^0/, ""), title: weight.toFixed(4) });
      cell.style.background = `rgb(${colour.join(" ")})`;
      cell.style.color = ramp.textOn(colour);
      return cell;
    })));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...rows);
  }
}

const label = text => make("span", { className: "token", dir: "auto", translate: false, textContent: text, title: text });
