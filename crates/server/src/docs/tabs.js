// Whoever picks a language once, sees it in all examples, on the next page too.
const pick = (language) => {
  for (const tab of document.querySelectorAll(".tabs input")) {
    if (tab.nextElementSibling.textContent === language) tab.checked = true;
  }
};
try {
  pick(localStorage.getItem("trunkline-docs-language"));
} catch {} // without storage each page begins anew
document.addEventListener("change", ({ target }) => {
  if (!target.matches(".tabs input")) return;
  const language = target.nextElementSibling.textContent;
  const before = target.getBoundingClientRect().top;
  pick(language);
  scrollBy(0, target.getBoundingClientRect().top - before); // examples above have other heights now
  try {
    localStorage.setItem("trunkline-docs-language", language);
  } catch {}
});
