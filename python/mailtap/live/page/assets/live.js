"use strict";
// Puts the sections that the server sends in place of the old ones, and opens sessions.
(() => {
  document.documentElement.classList.add("scripted");
  const RETRY = 5000; // milliseconds
  const element = (id) => document.getElementById(id);

  // The server has escaped all text of a section. Focus and scrolling outlive the exchange.
  const exchange = (id, html) => {
    const section = element(id);
    const focused = section.contains(document.activeElement) ? document.activeElement : null;
    const regions = () => [...section.querySelectorAll(".scroll")];
    const place = regions().indexOf(focused);
    const scrolled = regions().map((region) => [region.scrollLeft, region.scrollTop]);
    section.innerHTML = html;
    regions().forEach((region, index) => region.scrollTo(...(scrolled[index] ?? [0, 0])));
    if (focused) (focused.id ? element(focused.id) : regions()[place])?.focus({ preventScroll: true });
  };

  let source = null;
  const say = (text) => { element("connection").textContent = text; };
  const connect = () => {
    source = new EventSource("events");
    source.addEventListener("open", () => say("Live"));
    source.addEventListener("sections", (event) => {
      for (const [id, html] of Object.entries(JSON.parse(event.data))) exchange(id, html);
      limit();
    });
    source.addEventListener("error", () => {
      say("Connection lost, trying again");
      // After a refusal the browser doesn't try again by itself.
      if (source.readyState === EventSource.CLOSED) window.setTimeout(retry, RETRY, source);
    });
  };
  const retry = (failed) => { if (failed === source) connect(); };

  const pause = element("pause");
  pause.addEventListener("click", () => {
    const pausing = source !== null;
    pause.setAttribute("aria-pressed", String(pausing));
    if (pausing) {
      source.close();
      source = null;
      say("Paused");
    } else {
      connect();
    }
  });

  // A session stays open while the list below it goes on.
  const detail = element("detail");
  let opened = "";
  const buttons = () => [...document.querySelectorAll("button.open")];
  const show = (button) => {
    opened = button.id;
    const copy = button.nextElementSibling.cloneNode(true);
    copy.hidden = false;
    element("detail-body").replaceChildren(copy);
    limit();
  };
  const limit = () => {
    element("newer").disabled = opened === buttons()[0]?.id;
    element("older").disabled = opened === buttons().at(-1)?.id;
  };
  // One that has left the list was the oldest.
  const step = (by) => {
    const place = buttons().findIndex((button) => button.id === opened);
    const target = buttons()[place < 0 ? buttons().length - 1 : place + by];
    if (target) show(target);
  };
  element("disagreements").addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (!button) return;
    show(button);
    detail.showModal();
  });
  element("newer").addEventListener("click", () => step(-1));
  element("older").addEventListener("click", () => step(1));
  element("close").addEventListener("click", () => detail.close());
  detail.addEventListener("close", () => element(opened)?.focus({ preventScroll: true }));
  detail.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  connect();
})();
