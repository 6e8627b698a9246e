/** The colors of classes and tracks, as drawn on the image: `color_of` in edge/draw/labels.py. */

const GOLDEN = 0.618034;
const SHARES = [0.2126, 0.7152, 0.0722]; // of red, green and blue in the luminance of sRGB
const DARKEST = 0.26;

export function color(number) {
  const hue = (0.33 + number * GOLDEN) % 1;
  let saturation = number % 2 === 0 ? 0.85 : 0.55;
  let rgb = bright(hue, saturation);
  while (luminance(rgb) < DARKEST) {
    saturation -= 0.05;
    rgb = bright(hue, saturation);
  }
  return `rgb(${rgb.map((part) => Math.round(255 * part)).join(" ")})`;
}

/** Red, green and blue in [0, 1] of HSV with a value of 1. */
function bright(hue, saturation) {
  return [5, 3, 1].map((offset) => {
    const place = (offset + 6 * hue) % 6;
    return 1 - saturation * Math.max(0, Math.min(place, 4 - place, 1));
  });
}

function luminance(rgb) {
  return rgb.reduce((sum, part, place) => sum + SHARES[place] * part ** 2.2, 0);
}
