// Replaces pieces of a page as the server sends them. <body data-live="/address"> turns it on.
"use strict";
(function () {
  const address = document.body.dataset.live;
  const light = document.getElementById("live-state");
  if (!address || !window.EventSource) { return; }
  const source = new EventSource(address);
  function say(state, words) {
    if (light) { light.dataset.state = state; light.textContent = words; }
  }
  source.addEventListener("open", function () { say("on", "Live"); });
  source.addEventListener("error", function () { say("off", "Connection lost, trying again"); });
  source.addEventListener("fragment", function (event) {
    const piece = JSON.parse(event.data);
    const place = document.getElementById(piece.id);
    if (!place) { return; }
    const kept = document.activeElement && place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = piece.html;
    if (kept) { const again = document.getElementById(kept); if (again) { again.focus(); } }
  });
})();
