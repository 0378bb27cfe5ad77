// The page's clock (ms) with the time that the computer slept: on most systems performance.now() stands still then.

const SLEEP_MS = 2000; // A clock set forward by less, or set back, is no sleep.

const clock = { apart: Date.now() - performance.now(), slept: 0 };

function now() {
  const apart = Date.now() - performance.now();
  if (apart - clock.apart > SLEEP_MS) clock.slept += apart - clock.apart;
  clock.apart = apart;
  return performance.now() + clock.slept;
}
