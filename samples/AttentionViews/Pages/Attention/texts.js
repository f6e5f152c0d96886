// Names of heads, and how numbers and tokens are written.
const percent = share => `${(100 * share).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
const decimals = number => number.toFixed(4);

const rules = data.rules, atLeast = `and at least ${rules.lift} times what even weights would give`;
const patterns = {
  Previous: { mark: "P", text: "attends to previous", why: `At least ${percent(rules.share)} of the weight is on the token before the query's own, ${atLeast}.` },
  First: { mark: "F", text: "to first", why: `At least ${percent(rules.share)} of the weight is on the first token, ${atLeast}.` },
  Separator: { mark: "S", text: "to separator", why: `At least ${percent(rules.share)} of the weight is on separators, ${atLeast}.` },
  Local: { mark: "L", text: "local", why: `At least ${percent(rules.localShare)} of the weight is at most ${rules.localDistance} tokens away, ${atLeast}, and the head does not attend to previous.` },
  Diffuse: { mark: "D", text: "diffuse", warn: true, why: `The entropy of the rows is at least ${percent(rules.diffuseEntropy)} of that of even weights: the head hardly chooses.` },
  Concentrated: { mark: "C", text: "concentrated", warn: true, why: `The largest weight of a row is ${rules.concentratedWeight} or more on average: the head reads one token at a time.` },
};

// A token as it is shown: blanks at its ends and control characters become visible.
function shownToken(text) {
  if (text === "") return "∅";
  return text.replace(/^ +| +$/g, blanks => "␣".repeat(blanks.length)).replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/[\u0000-\u001f\u007f]/g, "�");
}

// A token within a sentence: isolated, so that a word that runs from right to left does not turn the sentence round.
const quoted = text => `“\u2068${shownToken(text)}\u2069”`;

const aboutCell = (query, key) => `query ${quoted(queries[query])} (${query}) → key ${quoted(keys[key])} (${key}): ${decimals(weight(query, key))}`;
const aboutRow = query => `entropy ${entropy(query).toFixed(3)}, largest weight ${decimals(largest(query))}`;
