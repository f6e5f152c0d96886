// A matrix as a canvas of one pixel a cell, which CSS enlarges.
function paintMatrix(canvas, rows, columns, shadeOf) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows), table = ramp.table();
  for (let i = 0; i < rows * columns; i++) {
    const colour = table[Math.round(255 * clamp(shadeOf(i), 0, 1))];
    image.data.set(colour, 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// Moves a box over a cell.
function ringCell(ring, row, column, cell) {
  ring.style.left = `${column * cell}px`;
  ring.style.top = `${row * cell}px`;
  ring.style.width = ring.style.height = `${cell}px`;
}

// The cell below the pointer, or null.
function cellAt(node, event, cell, rows, columns) {
  const box = node.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / cell), column = Math.floor((event.clientX - box.left) / cell);
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}

const tip = {
  show(event, ...lines) {
    const box = byId("tip");
    box.replaceChildren(...lines.map(line => make("div", { textContent: line })));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${clamp(event.clientX + 14, 4, Math.max(innerWidth - width - 8, 4))}px`;
    box.style.top = `${event.clientY + 18 + height > innerHeight ? Math.max(event.clientY - height - 10, 4) : event.clientY + 18}px`;
  },
  hide() {
    byId("tip").hidden = true;
  },
};

// The cell to which a key moves, or null for other keys.
function moved(key, [row, column], rows, columns) {
  const steps = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], Home: [row, 0], End: [row, columns - 1], PageUp: [0, column], PageDown: [rows - 1, column] };
  return steps[key] ? [clamp(steps[key][0], 0, rows - 1), clamp(steps[key][1], 0, columns - 1)] : null;
}
