// What is chosen stands behind the # of the address, so that a link shows the same view.
const address = {
  read() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  },
  write(values) {
    const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();
    if (text !== location.hash.slice(1)) history.replaceState(null, "", "#" + text);
  },
  // A whole number of the address within bounds, or else the number that is given.
  number(text, least, most, otherwise) {
    return /^\d{1,9}$/.test(text ?? "") && +text >= least && +text <= most ? +text : otherwise;
  },
};
