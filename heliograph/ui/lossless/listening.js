// What can be told of a microphone by listening: level, channels, how far up its sound goes, and time that went by
// without sound.

const LOST_STEP_MS = 20;
const DRIFT_MS = 0.3; // In a second: so far apart may a microphone's clock and the computer's run.
const DEAD_SAMPLES = 128; // As few as audio threads deal in.

class Channels {
  constructor() {
    Object.assign(this, { left: 0, right: 0, difference: 0, samples: 0, stereo: false });
  }

  feed(left, right) {
    this.samples += left.length;
    for (let at = 0; at < left.length; at += 1) {
      this.left += left[at] * left[at];
      if (right) {
        this.right += right[at] * right[at];
        this.difference += (left[at] - right[at]) ** 2;
      }
    }
    if (right) this.stereo = true;
  }

  choose() {
    return this.stereo && this.difference > 0 && this.right > 4 * this.left ? "right" : "left";
  }

  describe(taken) {
    if (!this.stereo) return "one";
    if (this.difference === 0) return "two, equal";
    const louder = Math.max(this.left, this.right);
    if (Math.min(this.left, this.right) < louder / 1e6) return `two, one dead, ${taken} taken`;
    return `two, different, ${taken} taken`;
  }
}

// Silence without the slightest noise: no microphone gives that. It switches itself off between words, or was too late
// and the browser put nothing in its place.
class DeadSilence {
  constructor() {
    this.run = this.samples = 0;
  }

  feed(samples) {
    for (let at = 0; at < samples.length; at += 1) {
      if (samples[at] === 0) {
        this.run += 1;
        if (this.run === DEAD_SAMPLES) this.samples += DEAD_SAMPLES;
        else if (this.run > DEAD_SAMPLES) this.samples += 1;
      } else {
        this.run = 0;
      }
    }
  }
}

// Sound that never got here leaves no mark in the samples, but for each second they then are later by the clock, for
// good. Blocks also come late without anything missing: only what no later one makes up for counts.
class LostTime {
  constructor(rate) {
    this.rate = rate;
    this.soonest = [];
  }

  // So many samples are here, the last of which was heard at that time.
  feed(samples, at) {
    const second = Math.floor((samples - 1) / this.rate);
    const late = at - (1000 * samples) / this.rate;
    this.soonest[second] = Math.min(this.soonest[second] ?? Infinity, late);
  }

  // [{second, ms}]: how much is missing between the second before and this one, or by little and little until this one.
  // What came in the last `open` seconds may still be made up for.
  find(open = 0) {
    const late = [];
    let soonest = Infinity;
    for (let second = this.soonest.length - 1; second >= 0; second -= 1) {
      soonest = Math.min(soonest, this.soonest[second] ?? Infinity);
      late[second] = soonest;
    }
    const found = [];
    let [told, since] = [late[0], 0];
    for (let second = 1; second < late.length - open; second += 1) {
      const step = late[second] - late[second - 1];
      const slowly = late[second] - told;
      if (step >= LOST_STEP_MS) {
        found.push({ second, ms: step });
        told += step;
      } else if (slowly >= LOST_STEP_MS + DRIFT_MS * (second - since)) {
        found.push({ second, ms: slowly });
        [told, since] = [late[second], second];
      }
    }
    return found;
  }
}

// How strong a voice was in each band of 250 Hz. Sound that came over a line for 8 or 16 thousand samples a
// second has nothing above half of that, whatever rate the computer gives it; a microphone has its own noise there at least.
class Bandwidth {
  constructor(rate) {
    this.rate = rate;
    this.size = 2048;
    this.block = new Float32Array(this.size);
    this.filled = 0;
    this.loud = 0;
    this.bands = new Float64Array(Math.floor(rate / 2 / BAND_HZ));
    const angles = Float64Array.from({ length: this.size }, (_, at) => (2 * Math.PI * at) / this.size);
    this.cosines = angles.map(Math.cos);
    this.sines = angles.map(Math.sin);
  }

  feed(samples) {
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + this.size - this.filled);
      this.block.set(part, this.filled);
      this.filled += part.length;
      from += part.length;
      if (this.filled === this.size) this.analyse();
    }
  }

  analyse() {
    this.filled = 0;
    let energy = 0;
    for (const value of this.block) energy += value * value;
    if (energy / this.size < LOUD_POWER) return;
    this.loud += 1;
    const powers = computePowers(this.block, this.cosines, this.sines);
    const bins = (BAND_HZ * this.size) / this.rate;
    for (let band = 0; band < this.bands.length; band += 1) {
      let power = 0;
      const end = Math.min(powers.length, Math.round((band + 1) * bins));
      for (let bin = Math.round(band * bins); bin < end; bin += 1) power += powers[bin];
      this.bands[band] += power;
    }
  }

  // Where the sound ends (Hz): above there is nothing but the rounding of 16 bits. Null before enough was heard.
  get edge() {
    if ((this.loud * this.size) / this.rate < ENOUGH_S) return null;
    const rounding = (this.loud * this.size * 3 * BAND_HZ * this.size) / 8 / this.rate / 12 / 32768 ** 2;
    for (let band = this.bands.length - 1; band >= 0; band -= 1) {
      if (this.bands[band] > rounding * EMPTY) return (band + 1) * BAND_HZ;
    }
    return null;
  }

  // Up to where a line as of a telephone or a headset lets sound through (kHz); null for a microphone without one.
  get cut() {
    if (this.rate <= 16000) return this.rate / 2000;
    const { edge } = this;
    if (edge === null || edge < VOICE_HZ || edge > NARROW_HZ || this.rate / 2 < 1.1 * NARROW_HZ) return null;
    return edge < 6000 ? 4 : 8;
  }
}

const BAND_HZ = 250;
const LOUD_POWER = 1e-5; // -50 dBFS.
const ENOUGH_S = 1.5;
const EMPTY = 10; // For dither, and a click or two.
const VOICE_HZ = 3000; // What ends below is a tone, not a voice over a line.
const NARROW_HZ = 9500; // What was sampled 16000 times a second and made more of fades out there.

// Power in each bin of a real block (radix-2 Fourier transform).
function computePowers(block, cosines, sines) {
  const size = block.length;
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  for (let at = 0; at < size; at += 1) real[at] = block[at] * (0.5 - 0.5 * cosines[at]); // A Hann window.
  for (let at = 1, mirrored = 0; at < size; at += 1) {
    let bit = size >> 1;
    for (; mirrored & bit; bit >>= 1) mirrored ^= bit;
    mirrored ^= bit;
    if (at < mirrored) {
      const kept = real[at];
      real[at] = real[mirrored];
      real[mirrored] = kept;
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2;
    for (let turn = 0; turn < half; turn += 1) {
      const cosine = cosines[(turn * size) / length];
      const sine = -sines[(turn * size) / length];
      for (let even = turn; even < size; even += length) {
        const odd = even + half;
        const re = real[odd] * cosine - imaginary[odd] * sine;
        const im = real[odd] * sine + imaginary[odd] * cosine;
        real[odd] = real[even] - re;
        imaginary[odd] = imaginary[even] - im;
        real[even] += re;
        imaginary[even] += im;
      }
    }
  }
  const powers = new Float64Array(size / 2);
  for (let bin = 0; bin < powers.length; bin += 1) powers[bin] = real[bin] ** 2 + imaginary[bin] ** 2;
  return powers;
}
