// An own mask as an expression: nested lists from C#, made into functions of query and key. Integers have 32 bits, as in C#; a quotient is rounded towards 0.
const operations = {
  "&&": (x, y) => (q, k) => x(q, k) && y(q, k),
  "||": (x, y) => (q, k) => x(q, k) || y(q, k),
  "?:": (x, y, z) => (q, k) => x(q, k) ? y(q, k) : z(q, k),
  ...Object.fromEntries(Object.entries({
    "!": x => +!x, "~": x => ~x, "==": (x, y) => +(x === y), "!=": (x, y) => +(x !== y), "<": (x, y) => +(x < y), "<=": (x, y) => +(x <= y), ">": (x, y) => +(x > y), ">=": (x, y) => +(x >= y),
    "+": (x, y) => x + y | 0, "-": (x, y) => y === undefined ? -x | 0 : x - y | 0, "*": Math.imul, "/": (x, y) => x / y | 0, "%": (x, y) => x % y | 0,
    "&": (x, y) => x & y, "|": (x, y) => x | y, "^": (x, y) => x ^ y, "<<": (x, y) => x << y, ">>": (x, y) => x >> y, Abs: Math.abs, Min: Math.min, Max: Math.max,
  }).map(([name, of]) => [name, (x, y) => y ? (q, k) => of(x(q, k), y(q, k)) : (q, k) => of(x(q, k))])),
};

function conditionOf([operation, ...operands]) {
  if (operation === "query") return query => query;
  if (operation === "key") return (_, key) => key;
  if (operation === "number") return () => operands[0];
  return operations[operation](...operands.map(conditionOf));
}
