// What is told of a recording beside its sound: short texts, numbers among them.

// Some browsers say how (as "system" for echo cancellation) where others say that it is on.
function onOff(value) {
  if (value === true || (typeof value === "string" && value)) return "on";
  return value === false ? "off" : "unknown";
}
const number = (value, scale = 1) => (Number.isFinite(value) ? String(Math.round(value * scale * 100) / 100) : "unknown");

const MOST_CHARACTERS = 200; // Of a fact.

// As many as fit into a fact.
function listTexts(texts) {
  let text = texts.join("; ");
  if (text.length > MOST_CHARACTERS) text = `${text.slice(0, text.lastIndexOf("; ", MOST_CHARACTERS - 4))}; …`;
  return text || "none";
}

// What came and went again makes room for what matters more, such as how it ended: first the page's background.
const PAIRS = [["hidden", "visible"], ["interrupted", "resumed"], ["suspended", "resumed"], ["muted", "unmuted"]];

function listEvents(events) {
  const kept = [...events];
  const isOf = (what) => (event) => event.endsWith(` ${what}`);
  for (const [begin, end] of PAIRS) {
    while (kept.join("; ").length > MOST_CHARACTERS) {
      const last = kept.findLastIndex(isOf(end));
      const first = kept.slice(0, Math.max(0, last)).findLastIndex(isOf(begin));
      if (first < 0) break;
      kept.splice(last, 1);
      kept.splice(first, 1, ...(kept.includes("…") ? [] : ["…"]));
    }
  }
  return listTexts(kept);
}

const countFilled = ({ filledIn }) => filledIn.reduce((total, [from, to]) => total + to - from, 0);
const listStretches = ({ filledIn, rate }) =>
  listTexts(filledIn.map((ends) => ends.map((at) => (at / rate).toFixed(2)).join("-")));
