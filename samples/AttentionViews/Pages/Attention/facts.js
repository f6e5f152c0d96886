// The names of the chosen head and the shares behind them.
changed.push(() => {
  const head = headOf(state.layer, state.head);
  byId("head-title").textContent = `Layer ${state.layer}, head ${state.head}`;
  byId("badges").replaceChildren(...head.patterns.map(name => make("span", { className: patterns[name].warn ? "badge warn" : "badge", textContent: patterns[name].text, title: patterns[name].why })));

  const shares = [
    ["on the token before", head.previous, percent(rules.share), "Previous"],
    ["on the first token", head.first, percent(rules.share), "First"],
    ["on separators", head.separator, percent(rules.share), "Separator"],
    [`at most ${rules.localDistance} tokens away`, head.local, percent(rules.localShare), "Local"],
  ].map(([text, [measured, even], from, name]) => [text, percent(measured), percent(even), from, name]);
  const rows = [
    ...shares,
    ["entropy", `${head.entropy.toFixed(3)} (${percent(head.relativeEntropy)})`, "100 %", percent(rules.diffuseEntropy), "Diffuse"],
    ["largest weight", decimals(head.largest), "", rules.concentratedWeight, "Concentrated"],
  ];
  byId("facts").tBodies[0].replaceChildren(...rows.map(([text, ...cells]) => {
    const name = cells.pop();
    return make("tr", { className: head.patterns.includes(name) ? "reached" : "", title: patterns[name].why }, make("th", { scope: "row", textContent: text }), ...cells.map(cell => make("td", { textContent: cell })));
  }));
});
