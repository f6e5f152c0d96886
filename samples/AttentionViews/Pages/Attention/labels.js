// Labels of tokens. A long token is cut; its whole text is its title. dir=auto gives each token the direction of its own script.
function tokenLabel(tag, text, index) {
  return make(tag, { className: "token", dir: "auto", translate: false, textContent: shownToken(text), title: `${index}: ${text}` });
}

function light(labels, index) {
  for (let i = 0; i < labels.length; i++) labels[i].classList.toggle("on", i === index);
}
