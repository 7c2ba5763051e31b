// Brings pieces of a page up to date as the server sends them. <body data-live="/address"> turns it on.
"use strict";
(function () {
  const address = document.body.dataset.live;
  const sign = document.getElementById("live-state");
  const TRY_AGAIN_MS = 3000;
  let source = null;
  let waiting = 0;
  if (!address || !window.EventSource) { return; }

  // The words stand in the page, in its language.
  function say(state) {
    if (sign && sign.dataset.state !== state) { sign.textContent = sign.dataset[state]; sign.dataset.state = state; }
  }

  // Changes only what differs, so that focus, selection, an opened detail and a scroll position stay.
  function morph(old, fresh) {
    if (old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) { old.data = fresh.data; }
      return;
    }
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && name !== "open") { old.removeAttribute(name); }
    }
    for (const { name, value } of Array.from(fresh.attributes)) {
      if (old.getAttribute(name) !== value) { old.setAttribute(name, value); }
    }
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const wanted = new Set(Array.from(fresh.children, function (child) { return child.id; }));
    for (const child of Array.from(old.children)) {
      if (child.id && !wanted.has(child.id)) { child.remove(); }
    }
    const twins = new Map();
    for (const child of old.children) { if (child.id) { twins.set(child.id, child); } }
    let at = old.firstChild;
    for (const child of Array.from(fresh.childNodes)) {
      const twin = child.id ? twins.get(child.id) : null;
      if (twin) {
        if (twin === at) { at = at.nextSibling; } else { old.insertBefore(twin, at); }
        morph(twin, child);
      } else if (at && !at.id && !child.id) {
        const next = at.nextSibling;
        morph(at, child);
        at = next;
      } else {
        old.insertBefore(child, at);
      }
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }

  function piece(event) {
    const told = JSON.parse(event.data);
    const place = document.getElementById(told.id);
    if (!place) { return; }
    const fresh = document.createElement("template");
    fresh.innerHTML = told.html;
    morphChildren(place, fresh.content);
  }

  function look() {
    stop();
    source = new EventSource(address);
    source.addEventListener("open", function () { say("on"); });
    source.addEventListener("full", function () { say("full"); });
    source.addEventListener("fragment", piece);
    source.addEventListener("error", function () {
      if (sign && sign.dataset.state !== "full") { say("off"); }
      // After an answer that is no stream a browser gives up by itself; we do not.
      if (source && source.readyState === EventSource.CLOSED) { stop(); waiting = setTimeout(look, TRY_AGAIN_MS); leaveIfLoggedOut(); }
    });
  }

  // Whose login is over sees the way in, not an old page.
  function leaveIfLoggedOut() {
    fetch(address, { method: "HEAD" }).then(function (answer) {
      if (answer.status === 401) { location.reload(); }
    }, function () { say("off"); });
  }

  function stop() {
    clearTimeout(waiting);
    if (source) { source.close(); source = null; }
  }

  // A browser has six connections for one host: a page that nobody sees must not keep one.
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { stop(); say("rest"); } else { look(); }
  });
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", function (event) { if (event.persisted) { look(); } });
  if (!document.hidden) { look(); }
})();
