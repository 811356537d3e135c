// The page is whole without this. It says times as people do, and swaps in what the hub says has changed.
"use strict";

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const toTheSecond = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function sayTimes(root) {
  for (const element of root.querySelectorAll("time")) {
    const at = new Date(element.dateTime);
    const seconds = (Date.now() - at) / 1000;
    const unit = units.find(([, size]) => seconds >= size);
    element.title = exact.format(at);
    if ("exact" in element.dataset) element.textContent = toTheSecond.format(at);
    else if (seconds > 7 * 86400) element.textContent = exact.format(at);
    else element.textContent = unit ? relative.format(-Math.floor(seconds / unit[1]), unit[0]) : "just now";
  }
}

let seen = "";
async function reload() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === seen) return;
  seen = text;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const id of ["main", "summary"]) {
    const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
    if (old && now) old.replaceWith(now);
  }
  sayTimes(document);
}

let due = 0;
function reloadSoon() {
  if (due) return;
  due = setTimeout(() => { due = 0; reload().catch(() => {}); }, 2000);
}

// A new agent belongs on the first page, a new device where its agent is shown and nothing is left out.
function isMissing(id) {
  if (id.startsWith("agent-")) return location.pathname === "/";
  return document.getElementById("agent-" + id.slice(7, 43)) && !document.querySelector(".more");
}

function swap(id, html) {
  const old = document.getElementById(id);
  if (!old) return isMissing(id);
  if ("whole" in old.dataset) return true;
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.firstElementChild;
  sayTimes(holder.content);
  fresh.classList.add("fresh");
  old.replaceWith(fresh);
  return false;
}

const light = document.getElementById("live");
function show(up) {
  light.hidden = false;
  light.className = up ? "live up" : "live";
  light.textContent = up ? "live" : "reconnecting";
}

let lost = false;
const source = new EventSource("/live");
source.onopen = () => { show(true); if (lost) reloadSoon(); lost = false; };
source.onerror = () => { show(false); lost = true; };
source.onmessage = (event) => {
  const change = JSON.parse(event.data);
  const unknown = Object.entries(change.fragments ?? {}).map(([id, html]) => swap(id, html));
  if (change.reload || unknown.some(Boolean)) reloadSoon();
};

// The stream does not tell of tasks: a page that shows some is loaded again while somebody looks at it.
setInterval(() => {
  if (document.querySelector("[data-again]") && !document.hidden) reload().catch(() => {});
}, 3000);

sayTimes(document);
setInterval(() => sayTimes(document), 20000);
