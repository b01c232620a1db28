// The overview renews itself; while it is hidden, or somebody is at work in it, it is left alone.
"use strict";
(() => {
  const live = document.getElementById("live");
  const seconds = Number(live.dataset.refreshSeconds);

  async function renew() {
    if (document.hidden || live.contains(document.activeElement)) return;
    try {
      const answer = await fetch("/fragments/overview" + location.search, { headers: { "X-Refresh": "1" } });
      if (answer.status === 401) location.reload();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      live.replaceChildren(...fresh.body.childNodes);
      live.classList.remove("stale");
    } catch {
      live.classList.add("stale"); // the hub does not answer; what is shown may be old
    }
  }

  setInterval(renew, seconds * 1000);
})();
