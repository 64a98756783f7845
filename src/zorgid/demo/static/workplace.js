// Shows the desk anew as soon as the app at it has gone on. Without this script the page loads itself again.
// @ts-check

const mark = document.querySelector("[data-appearance]");
if (mark) {
  const shown = encodeURIComponent(mark.getAttribute("data-appearance") ?? "");
  const events = new EventSource(`/events?shown=${shown}`);
  events.addEventListener("changed", () => {
    events.close();
    location.replace("/");
  });
}
