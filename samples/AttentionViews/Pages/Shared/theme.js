// The theme is that of the system unless the reader chooses one. Canvases are drawn again when it changes.
const theme = {
  choice: "",
  changed: [],
  system: matchMedia("(prefers-color-scheme: dark)"),
  isDark() {
    return this.choice ? this.choice === "dark" : this.system.matches;
  },
  choose(choice) {
    this.choice = ["light", "dark"].includes(choice) ? choice : "";
    document.documentElement.dataset.theme = this.choice;
    byId("theme").value = this.choice;
    for (const draw of this.changed) draw();
  },
};
theme.system.addEventListener("change", () => theme.changed.forEach(draw => draw()));
byId("theme").addEventListener("change", event => theme.choose(event.target.value));
