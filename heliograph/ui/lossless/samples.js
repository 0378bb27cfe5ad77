// Samples as a browser gives them, made the device's integers again.

// How a browser made numbers of a device's 16 bits: all divided by 32768, or (Chromium) what is above zero by 32767.
// 32-bit floats are exact in the first case, and in the second to a small part of a step.
const DIVISORS = [[32768, 0], [32767, 0.004]];

function findDivisor(samples, count) {
  return DIVISORS.find(([divisor, tolerance]) => {
    for (let at = 0; at < count; at += 1) {
      const value = samples[at];
      const steps = value * (value > 0 ? divisor : 32768);
      if (Math.abs(steps - Math.round(steps)) > (value > 0 ? tolerance : 0) || Math.abs(steps) > 32768) return false;
    }
    return true;
  });
}

// The device's own 16 bits where every sample is one of them, else 24: nothing is rounded that was not rounded before.
function pack(samples, count) {
  const found = findDivisor(samples, count);
  const size = found ? 2 : 3;
  const bytes = new ArrayBuffer(count * size);
  const view = new DataView(bytes);
  for (let at = 0; at < count; at += 1) {
    const sample = samples[at];
    if (found) {
      const steps = Math.round(sample * (sample > 0 ? found[0] : 32768));
      view.setInt16(2 * at, Math.min(32767, steps), true);
    } else {
      const value = Math.max(-8388608, Math.min(8388607, Math.round(sample * 8388608)));
      view.setUint8(3 * at, value & 255);
      view.setInt16(3 * at + 1, value >> 8, true);
    }
  }
  return { bits: 8 * size, bytes };
}
