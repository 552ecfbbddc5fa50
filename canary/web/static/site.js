"use strict";
// Keys and a queue that stays fresh. Every page reads without this file.

(() => {
  const isTyping = (element) => element.closest("input, textarea, select") !== null;

  const moveInQueue = (step) => {
    const rows = [...document.querySelectorAll(".queue-row")];
    if (rows.length === 0) return;
    const place = rows.indexOf(document.activeElement) + step;
    rows[Math.min(Math.max(place, 0), rows.length - 1)].focus();
  };

  const toggleKeys = () => {
    const sheet = document.getElementById("keys");
    if (sheet === null) return;
    if (sheet.open) sheet.close();
    else sheet.showModal();
  };

  const actions = {
    "/": () => document.querySelector("input[type=search]")?.focus(),
    j: () => moveInQueue(1),
    k: () => moveInQueue(-1),
    x: () => document.activeElement?.closest("li")?.querySelector("input[name=pick]")?.click(),
    e: () => document.getElementById("reason")?.focus(),
    z: () => document.getElementById("undo")?.click(),
    "?": toggleKeys,
  };

  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || isTyping(press.target)) return;
    const action = actions[press.key];
    if (action === undefined) return;
    press.preventDefault();
    action();
  });

  document.getElementById("keys")?.addEventListener("click", toggleKeys);

  // Paper has no folds: what is folded up is printed open.
  const folds = () => document.querySelectorAll("main details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...folds()];
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => print());
  });

  const invited = document.querySelector("[data-from-fragment]");
  if (invited !== null && invited.value === "" && location.hash.length > 1) {
    invited.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }

  // htmx fetches what is live anew. Not under somebody's hand, and not from a page in the back.
  document.addEventListener("htmx:before:request", (ask) => {
    const live = ask.target;
    const isInUse = live.contains(document.activeElement) || live.querySelector("input:checked");
    if (document.hidden || isInUse) ask.preventDefault();
  });

  // After a sign-out or a failure the page stays as it was; the next click shows what is wrong.
  document.addEventListener("htmx:before:response", (answer) => {
    const { raw } = answer.detail.ctx.response;
    if (!raw.ok || raw.redirected) answer.preventDefault();
  });

  // What was waited for is there: the whole page has changed.
  document.addEventListener("htmx:before:swap", (swap) => {
    if (swap.detail.tasks[0].fragment.childElementCount > 0) return;
    swap.preventDefault();
    location.reload();
  });
})();
