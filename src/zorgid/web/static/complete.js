// Takes handle and code from the address, removes them from the history, and completes the login in this browser.
// @ts-check

/** @param {string} name Shows one of the parts of the page. */
function show(name) {
  for (const part of document.querySelectorAll("[data-part]")) {
    part.toggleAttribute("hidden", part.getAttribute("data-part") !== name);
  }
}

/** @param {{detail?: string, next_step?: string}} problem Shows why it did not work and what to do. */
function explain(problem) {
  const [text, next] = [document.querySelector("[data-text]"), document.querySelector("[data-next]")];
  if (text && problem.detail) text.textContent = problem.detail;
  if (next && problem.next_step) next.textContent = problem.next_step;
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
