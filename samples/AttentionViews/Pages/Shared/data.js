// The data of the page, and texts as nodes. Texts of the data enter the page through textContent and attributes only.
const data = JSON.parse(document.getElementById("data").textContent);
document.title = data.title;

const byId = id => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
}

// Base64 of little-endian 16-bit integers.
function wholeNumbers(text) {
  const bytes = atob(text), numbers = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i++) numbers[i] = bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8;
  return numbers;
}

const clamp = (x, least, most) => Math.min(Math.max(x, least), most);
