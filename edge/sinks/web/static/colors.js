/** The colors of classes and tracks, as drawn on the image: `color_of` in edge/draw/labels.py. */

const GOLDEN = 0.618034;
const WEIGHTS = [0.2126, 0.7152, 0.0722]; // of red, green and blue in the luminance of sRGB
const MIN_LUMINANCE = 0.26;

export function color(number) {
  const hue = (0.33 + number * GOLDEN) % 1;
  let saturation = number % 2 === 0 ? 0.85 : 0.55;
  let rgb = bright(hue, saturation);
  while (luminance(rgb) < MIN_LUMINANCE) {
    saturation -= 0.05;
    rgb = bright(hue, saturation);
  }
  return `rgb(${rgb.map((part) => Math.round(255 * part)).join(" ")})`;
}

/** Converts HSV with a value of 1 to red, green and blue in [0, 1]. */
function bright(hue, saturation) {
  return [5, 3, 1].map((offset) => {
    const position = (offset + 6 * hue) % 6;
    return 1 - saturation * Math.max(0, Math.min(position, 4 - position, 1));
  });
}

function luminance(rgb) {
  return rgb.reduce((sum, part, index) => sum + WEIGHTS[index] * part ** 2.2, 0);
}
