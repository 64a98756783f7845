// Follows the state of a login on the page that waits for it. Without this script the page refreshes itself.
// @ts-check

const FINAL = ["proved", "completed", "cancelled", "aborted", "expired"];

/** @param {string} state Shows the part of the page that belongs to `state`. */
function show(state) {
  for (const part of document.querySelectorAll("[data-state]")) {
    const states = (part.getAttribute("data-state") ?? "").split(" ");
    part.toggleAttribute("hidden", !states.includes(state));
  }
}

const page = document.querySelector("[data-login]");
if (page) {
  const events = new EventSource("/oauth/account/login/events");
  events.addEventListener("state", (event) => {
    show(event.data);
    if (FINAL.includes(event.data) && event.data !== "proved") events.close();
  });
  const help = document.querySelector("[data-help-after]");
  const button = document.querySelector("[data-launch]");
  button?.addEventListener("click", () => {
    setTimeout(() => help?.removeAttribute("hidden"), 8000);
  });
}
