// A ramp of 256 colours whose lightness rises or falls in even steps (OKLCH), so that equal differences of weight look equal, in any kind of colour vision.
// On a light page it runs from the page's white to dark blue, on a dark page from near black to light yellow.
const ramp = (() => {
  const ends = {
    light: { from: [0.985, 0.01, 250], to: [0.3, 0.12, 270] },
    dark: { from: [0.24, 0.03, 270], to: [0.95, 0.1, 95] },
  };
  const bulge = 0.07; // more chroma in the middle, where there is room for it

  function oklch(lightness, chroma, hue) {
    const angle = hue * Math.PI / 180, a = chroma * Math.cos(angle), b = chroma * Math.sin(angle);
    const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
    return [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
  }

  const isShown = linear => linear.every(x => x > -1e-4 && x < 1 + 1e-4);
  const srgb = x => Math.round(255 * clamp(x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055, 0, 1));

  // Less chroma, not another lightness, where a colour is outside of what screens show.
  function shown(lightness, chroma, hue) {
    while (chroma > 0 && !isShown(oklch(lightness, chroma, hue))) chroma -= 0.004;
    return oklch(lightness, Math.max(chroma, 0), hue).map(srgb);
  }

  function colours({ from, to }) {
    return Array.from({ length: 256 }, (_, i) => {
      const t = i / 255, mix = n => from[n] + (to[n] - from[n]) * t;
      return shown(mix(0), mix(1) + bulge * 4 * t * (1 - t), mix(2));
    });
  }

  const tables = { light: colours(ends.light), dark: colours(ends.dark) };
  const luminance = rgb => rgb.map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4).reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  return {
    table: () => tables[theme.isDark() ? "dark" : "light"],
    // Black or white, whichever is easier to read on a colour.
    textOn: rgb => 1.05 / (luminance(rgb) + 0.05) >= (luminance(rgb) + 0.05) / 0.05 ? "#ffffff" : "#000000",
  };
})();

// How a weight of 0 to 1 becomes a place on the ramp.
const scales = {
  root: { text: "square root", of: weight => Math.sqrt(weight) },
  linear: { text: "linear", of: weight => weight },
};
