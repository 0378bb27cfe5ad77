// What is told of a recording beside its sound: short texts, numbers among them.

const onOff = (value) => (value === true ? "on" : value === false ? "off" : "unknown");
const number = (value, scale = 1) => (Number.isFinite(value) ? String(Math.round(value * scale * 100) / 100) : "unknown");

// As many as fit into a fact.
function listTexts(texts) {
  let text = texts.join("; ");
  if (text.length > 200) text = `${text.slice(0, text.lastIndexOf("; ", 196))}; …`;
  return text || "none";
}

const countFilled = ({ filledIn }) => filledIn.reduce((total, [from, to]) => total + to - from, 0);
const listStretches = ({ filledIn, rate }) =>
  listTexts(filledIn.map((ends) => ends.map((at) => (at / rate).toFixed(2)).join("-")));
