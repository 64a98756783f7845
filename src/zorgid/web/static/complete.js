// Takes handle and code from the address, removes them from the history, and completes the login in this browser.
// @ts-check

// In these a login of another browser was shown here, so this one has nothing to begin again.
const BEGUN_ELSEWHERE = ["login-other-browser", "login-unknown"];

const product = document.title.slice(document.title.lastIndexOf(" – "));

/** @param {string} name Shows one of the parts of the page, and its heading in the title. */
function show(name) {
  for (const part of document.querySelectorAll("[data-part]")) {
    part.toggleAttribute("hidden", part.getAttribute("data-part") !== name);
  }
  document.title = `${document.querySelector("[data-part]:not([hidden]) h1")?.textContent}${product}`;
}

/** @param {{code?: string, detail?: string, next_step?: string}} problem Shows why it did not work and what to do. */
function explain(problem) {
  const [heading, text, next, again] = ["heading", "text", "next", "again"].map((name) =>
    document.querySelector(`[data-${name}]`),
  );
  const about = heading?.getAttribute(`data-${problem.code}`);
  if (heading && about) heading.textContent = about;
  if (text && problem.detail) text.textContent = problem.detail;
  if (next && problem.next_step) next.textContent = problem.next_step;
  again?.toggleAttribute("hidden", BEGUN_ELSEWHERE.includes(problem.code ?? ""));
  show("refused");
}

async function complete() {
  const [handle, code] = location.hash.slice(1).split(".");
  history.replaceState(null, "", location.pathname);
  const answer = await fetch("/oauth/complete", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ handle, code }),
  });
  const said = await answer.json();
  if (answer.ok) location.replace(said.next);
  else explain(said);
}

show("busy");
complete().catch(() => explain({}));
