// From a mask in closed form and two lengths to sequences, pieces of rows and zones of keys, as the runtime library lays out a call (ForwardLayout). Tests hold
// both to the same result. Row r of a piece sees the keys of a zone from max(begin, r + low) on, before min(end, r + high).
const FAR = 2 ** 40;

function layoutOf(form, queries, keys) {
  const pieces = [];
  for (const item of items(form, queries, keys)) chunks(form, item, sequence => pieces.push(...piecesOf(form, sequence)));
  return pieces;
}

// The documents, or all tokens. The last query stands at the last visible key.
function items(form, queries, keys) {
  const whole = (query, queries, key, keys) => ({ query, queries, key, keys: Math.max(keys - form.padding, 0), step: 1, start: Math.max(keys - form.padding, 0) - queries, origin: 0 });
  if (form.documentLengths.length === 0) return [whole(0, queries, 0, keys)];
  const all = [];
  for (let i = 0, at = 0; at < queries; i++) {
    const length = Math.min(form.documentLengths[i % form.documentLengths.length], queries - at);
    all.push(whole(at, length, at, length));
    at += length;
  }
  return all;
}

// The first position after a chunk. Chunk 0 has positions on both sides of 0, because C# rounds towards 0.
const endOf = (chunk, length) => chunk < 0 ? chunk * length + 1 : (chunk + 1) * length;

function chunks(form, whole, add) {
  const length = form.chunkLength;
  if (length === 0) return interleaved(form, whole, add);
  for (let row = 0, rows; row < whole.queries; row += rows) {
    const position = whole.start + row, chunk = Math.trunc(position / length), next = endOf(chunk, length);
    rows = Math.min(next - position, whole.queries - row);
    const first = clamp(chunk * length, 0, whole.keys), end = Math.max(Math.min(next, whole.keys), first);
    interleaved(form, { ...whole, query: whole.query + row, queries: rows, key: whole.key + first, keys: chunk < 0 ? 0 : end - first, start: position - first, origin: first }, add);
  }
}

function interleaved(form, whole, add) {
  const step = form.dilation;
  if (step <= 1) return add(whole);
  for (let rest = 0; rest < step; rest++) {
    const row = ((rest - whole.start) % step + step) % step;
    if (row >= whole.queries) continue;
    add({
      ...whole, query: whole.query + row, queries: Math.floor((whole.queries - 1 - row) / step) + 1, key: whole.key + rest,
      keys: rest < whole.keys ? Math.floor((whole.keys - 1 - rest) / step) + 1 : 0, step, start: (whole.start + row - rest) / step, origin: whole.origin + rest,
    });
  }
}

// The declared masks as terms, each combined with each term of an own mask.
function termsOf(form) {
  const all = { fromQuery: -FAR, toQuery: FAR, fromKey: 0, toKey: FAR, fromDistance: -FAR, toDistance: FAR, decided: true };
  const causal = { ...all, fromDistance: form.left === undefined ? -FAR : -form.left }, declared = [causal];
  if (form.prefixLength > 0) {
    declared.push({ ...causal, toQuery: form.prefixLength, toKey: form.prefixLength });
    causal.fromQuery = form.prefixLength;
  }
  if (form.right !== undefined) causal.toDistance = form.right + 1;
  if (form.firstKeys > 0 && form.left !== undefined)
    declared.push(...declared.map(term => ({ ...term, fromDistance: -FAR, toKey: Math.min(term.toKey, form.firstKeys) })));
  if (!form.terms) return declared;
  return declared.flatMap(x => form.terms.map(own => both({ ...all, ...own }, x)));
}

const both = (x, y) => ({
  ...x, fromQuery: Math.max(x.fromQuery, y.fromQuery), toQuery: Math.min(x.toQuery, y.toQuery), fromKey: Math.max(x.fromKey, y.fromKey), toKey: Math.min(x.toKey, y.toKey),
  fromDistance: Math.max(x.fromDistance, y.fromDistance), toDistance: Math.min(x.toDistance, y.toDistance), decided: x.decided && y.decided,
});

function piecesOf(form, sequence) {
  const pieces = [], terms = termsOf(form), size = form.blocks?.size ?? 0;
  for (let row = 0, end; row < sequence.queries; row = end) {
    const list = size > 0 ? Math.floor((sequence.query + row) / size) : -1;
    end = size > 0 ? Math.min(sequence.queries, (list + 1) * size - sequence.query) : sequence.queries;
    let chunk = 0;
    if (form.termChunk > 0) {
      const place = sequence.origin + (sequence.start + row) * sequence.step;
      chunk = Math.trunc(place / form.termChunk);
      end = Math.min(end, row + Math.trunc((endOf(chunk, form.termChunk) - place + sequence.step - 1) / sequence.step));
    }
    const own = terms.map(term => fromKeyOn(ofChunk(term, chunk), sequence.origin, sequence.step)), position = sequence.start + row;
    for (const term of own) {
      if (term.fromQuery > position) end = Math.min(end, term.fromQuery - sequence.start);
      if (term.toQuery > position) end = Math.min(end, term.toQuery - sequence.start);
    }
    pieces.push({ sequence, first: row, end, list, zones: zonesOf(sequence, own, row, end - 1) });
  }
  return pieces;
}

const ofChunk = (term, chunk) => ({
  ...term,
  fromKey: term.fromChunk ? Math.max(term.fromKey, clamp(term.fromChunk[0] * chunk + term.fromChunk[1], -FAR, FAR)) : term.fromKey,
  toKey: term.toChunk ? Math.min(term.toKey, clamp(term.toChunk[0] * chunk + term.toChunk[1], -FAR, FAR)) : term.toKey,
});

// The term with keys and positions counted from another key, in steps of several keys.
function fromKeyOn(term, origin, step) {
  if (origin === 0 && step === 1) return term;
  const steps = place => Math.abs(place) >= FAR / 2 ? place : place > 0 ? Math.floor((place + step - 1) / step) : Math.trunc(place / step);
  return {
    ...term, fromQuery: steps(term.fromQuery - origin), toQuery: steps(term.toQuery - origin), fromKey: steps(term.fromKey - origin), toKey: steps(term.toKey - origin),
    fromDistance: steps(term.fromDistance), toDistance: steps(term.toDistance),
  };
}

// The zones of the terms that hold for these rows. Each leaves out the keys of the ones before it.
function zonesOf(sequence, terms, first, last) {
  const position = sequence.start + first, earlier = [], zones = [];
  for (const term of terms) {
    if (term.fromQuery > position || term.toQuery <= position) continue;
    const zone = {
      begin: clamp(term.fromKey, 0, sequence.keys), end: clamp(term.toKey, 0, sequence.keys), low: sequence.start + term.fromDistance, high: sequence.start + term.toDistance, decided: term.decided,
    };
    without(zone, earlier, 0, first, last, zones);
    earlier.push(zone);
  }
  return zones;
}

function without(zone, earlier, i, first, last, zones) {
  zone = trimmed(zone, first, last);
  if (!zone) return;
  if (i === earlier.length) {
    zones.push(zone);
    return;
  }
  // Each bound of the earlier zone cuts off an outer part. What remains is inside the earlier zone and is dropped.
  const other = earlier[i], next = part => without({ ...zone, ...part }, earlier, i + 1, first, last, zones);
  next({ end: Math.min(zone.end, other.begin) });
  zone.begin = Math.max(zone.begin, other.begin);
  next({ begin: Math.max(zone.begin, other.end) });
  zone.end = Math.min(zone.end, other.end);
  next({ high: Math.min(zone.high, other.low) });
  zone.low = Math.max(zone.low, other.low);
  next({ low: Math.max(zone.low, other.high) });
}

// The zone without keys and bounds that no row needs, or null if no row sees a key of it.
function trimmed(zone, first, last) {
  const end = clamp(last + zone.high, Math.min(zone.begin, zone.end), zone.end);
  if (zone.begin >= end || zone.low >= zone.high) return null;
  if (Math.max(first, zone.begin - zone.high + 1) > Math.min(last, end - zone.low - 1)) return null;
  return { ...zone, end, low: last + zone.low <= zone.begin ? -FAR : zone.low, high: first + zone.high >= end ? FAR : zone.high };
}

// The keys of a zone that at least one of some rows sees.
function rangeOf(zone, first, last) {
  const end = Math.max(Math.min(last + zone.high, zone.end), zone.begin);
  return [Math.min(Math.max(first + zone.low, zone.begin), end), end];
}

// The ranges of keys that some rows of a piece see: those of its zones, or what a list leaves of them.
function* rangesOf(form, piece, first, last) {
  for (const zone of piece.zones) {
    const [begin, end] = rangeOf(zone, first, last);
    if (begin === end) continue;
    if (!form.blocks) {
      yield { zone, begin, end };
      continue;
    }
    const { size, rows } = form.blocks, list = rows[piece.list % rows.length].map(block => block + rows.length * Math.floor(piece.list / rows.length));
    for (let i = 0; i < list.length;) {
      const from = list[i] * size;
      let to = from + size;
      for (i++; i < list.length && list[i] * size === to; i++) to += size; // blocks that follow each other are one range
      if (to > begin && from < end) yield { zone, begin: Math.max(from, begin), end: Math.min(to, end) };
    }
  }
}
