#include "node/page_assets_impl.hpp"

namespace holdfast::node::html {

const std::string_view kStyleSheet = R"css(
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --ink: #1c1f23; --quiet: #59616a; --line: #d9d7d0; --accent: #1f5789;
  --good: #14663a; --good-ground: #e4f3ea; --warning: #7a4a00; --warning-ground: #fcf0d9;
  --problem: #a1232b; --problem-ground: #fbe9ea; --notice: #3d4f63; --notice-ground: #e8edf3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1d2126; --ink: #e8e6e1; --quiet: #a0a8b0; --line: #343a41; --accent: #8fc1ee;
    --good: #7ed6a2; --good-ground: #16301f; --warning: #f0c170; --warning-ground: #362a12;
    --problem: #ff9aa0; --problem-ground: #3a1a1d; --notice: #b4c3d4; --notice-ground: #242c35;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
p { margin: .4rem 0; }
a { color: var(--accent); }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere; }
.quiet, caption, dt, footer { color: var(--quiet); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .4rem; background: var(--card); padding: .3rem .6rem; }
nav ul { list-style: none; margin: .6rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem; margin: 1rem 0; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .92em; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .2rem; }
th { text-align: left; font-weight: 500; }
thead th { color: var(--quiet); white-space: nowrap; }
th, td { padding: .3rem .9rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th code { white-space: nowrap; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .6rem 1.2rem; margin: .4rem 0; }
dl div { min-width: 0; }
dd { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.badge { display: inline-block; border-radius: 999px; padding: .02rem .6rem; font-size: .88em; font-weight: 600; white-space: nowrap; }
.badge.good { color: var(--good); background: var(--good-ground); }
.badge.warning { color: var(--warning); background: var(--warning-ground); }
.badge.problem { color: var(--problem); background: var(--problem-ground); }
.badge.notice { color: var(--notice); background: var(--notice-ground); }
.told { list-style: none; margin: .4rem 0; padding: 0; }
.told li { border-left: 4px solid var(--line); padding: .3rem .8rem; margin: .5rem 0; overflow-wrap: anywhere; }
.told .problem { border-color: var(--problem); background: var(--problem-ground); }
.told .warning { border-color: var(--warning); background: var(--warning-ground); }
.told .notice { border-color: var(--notice); background: var(--notice-ground); }
summary { cursor: pointer; color: var(--accent); }
.told .do { font-weight: 600; }
svg.bars { display: block; width: 100%; height: 4rem; margin: .4rem 0; }
svg line { stroke: var(--line); }
svg .good { fill: var(--good); } svg .warning { fill: var(--warning); } svg .problem { fill: var(--problem); }
svg .notice { fill: var(--notice); } svg .track { fill: var(--line); }
svg.span { width: 11rem; height: .8rem; vertical-align: middle; }
.pages { display: flex; gap: 1rem; flex-wrap: wrap; }
.stale { color: var(--problem); font-weight: 600; }
footer { padding-bottom: 2rem; font-size: .93em; }
@media (max-width: 30rem) {
  body { font-size: 14px; }
  header, main, footer { padding-left: .6rem; padding-right: .6rem; }
  section { padding: .8rem; }
  dl { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
)css";

// Asks for the page anew and puts in the sections that differ: where one holds the focus or a
// selection it is left for the next time. Stops while nobody looks.
const std::string_view kScript = R"js('use strict';
const EVERY_MS = 5000;
const live = document.querySelector('#live');
let good = Date.now();

function busy(section) {
  const chosen = document.getSelection();
  return section.contains(document.activeElement) ||
    (chosen && !chosen.isCollapsed && section.contains(chosen.anchorNode));
}

async function refresh() {
  const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(2 * EVERY_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const fresh of next.querySelectorAll('main > section')) {
    const shown = document.getElementById(fresh.id);
    if (!shown) return location.reload();
    fresh.querySelectorAll('details').forEach((one, i) => { one.open = shown.querySelectorAll('details')[i]?.open ?? false; });
    if (shown.innerHTML === fresh.innerHTML || busy(shown)) continue;
    const left = Array.from(shown.querySelectorAll('.scroll'), (one) => one.scrollLeft);
    shown.replaceChildren(...fresh.childNodes);
    shown.querySelectorAll('.scroll').forEach((one, i) => { one.scrollLeft = left[i] ?? 0; });
  }
  good = Date.now();
  live.className = '';
  live.textContent = 'Live: asked anew every 5 s.';
}

async function follow() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch {
      live.className = 'stale';
      live.textContent = `No answer for ${Math.round((Date.now() - good) / 1000)} s; what is shown is old.`;
    }
  }
  setTimeout(follow, EVERY_MS);
}
setTimeout(follow, EVERY_MS);
live.textContent = 'Live: asked anew every 5 s.';
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh().catch(() => {}); });
)js";

}  // namespace holdfast::node::html
