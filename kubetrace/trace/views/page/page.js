'use strict';
// Shows the trace that the page holds. Text from a trace goes into the page as text nodes only; there is no place here
// where it could become markup.
const trace = JSON.parse(document.getElementById('trace').textContent);
const calls = trace.calls;
const main = document.querySelector('main'), list = document.getElementById('rows'), detail = document.getElementById('detail');
const body = document.querySelector('#calls tbody'), table = document.getElementById('calls');
const search = document.getElementById('search'), inBodies = document.getElementById('in-bodies');
const kind = document.getElementById('kind'), count = document.getElementById('count');
const SVG = 'http://www.w3.org/2000/svg', CHUNK = 200, WIDTH = 1000;
const texts = new Map();

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== '') node.textContent = text;
  if (name) node.className = name;
  return node;
}

function draw(tag, values) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
  return node;
}

function time(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds >= 1) return seconds.toFixed(2) + ' s';
  return (seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0) + ' ms';
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < 3) { bytes /= 1024; unit += 1; }
  return (unit ? bytes.toFixed(1) : bytes) + ' ' + units[unit];
}

// --- bodies: packed until somebody looks ---------------------------------------------------------------------------

async function bodyText(index) {
  if (!texts.has(index)) texts.set(index, unpacked(trace.bodies[index]));
  return texts.get(index);
}

async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).text();
}

// --- the waterfall: idle time between calls is shortened -----------------------------------------------------------

const IDLE = 0.03;  // of the time in which something happened: the longest gap that is drawn

function clockOf(seen) {
  // Moments to places on the waterfall of these calls.
  const spans = seen.map((call) => [call.at, call.at + call.seconds]).sort((one, other) => one[0] - other[0]);
  const pieces = [];
  let end = 0;
  for (const [start, stop] of spans) {
    const last = pieces[pieces.length - 1];
    if (last && start <= last.stop) last.stop = Math.max(last.stop, stop);
    else pieces.push({ start, stop });
  }
  const longest = IDLE * pieces.reduce((sum, piece) => sum + piece.stop - piece.start, 0);
  pieces.forEach((piece, at) => {
    if (at) end += Math.min(piece.start - pieces[at - 1].stop, longest);
    piece.from = end;
    end += piece.stop - piece.start;
  });
  const total = Math.max(end, 1e-6);
  return (moment) => {
    let low = 0, high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle].start <= moment) low = middle; else high = middle - 1;
    }
    return (pieces[low].from + Math.max(0, moment - pieces[low].start)) / total * WIDTH;
  };
}

const PHASES = ['dns', 'connect', 'tls', 'wait', 'body'];

function phases(call) {
  // Where each phase begins and how long it is, in seconds; what nobody measured belongs to waiting.
  const [dns, connect, tls] = call.phases;
  const head = Math.min(call.head === null ? call.seconds : call.head, call.seconds);
  const before = (dns || 0) + (connect || 0) + (tls || 0);
  const lengths = [dns || 0, connect || 0, tls || 0, Math.max(0, head - before), Math.max(0, call.seconds - head)];
  let start = 0;
  return lengths.map((length, at) => { const piece = [PHASES[at], start, length]; start += length; return piece; });
}

function waterfall(call, clock) {
  const picture = draw('svg', { viewBox: `0 0 ${WIDTH} 12`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const begin = clock(call.at), scale = clock(call.at + call.seconds) - begin;
  if (scale < 4) {
    picture.append(draw('rect', { class: 'body', x: Math.min(begin, WIDTH - 4).toFixed(1), width: 4, height: 12 }));
    return picture;
  }
  for (const [name, start, length] of phases(call)) {
    if (!length) continue;
    const from = begin + start / call.seconds * scale, width = Math.max(1, length / call.seconds * scale);
    picture.append(draw('rect', { class: name, x: from.toFixed(1), width: width.toFixed(1), height: 12 }));
  }
  return picture;
}

// --- rows: made as far as somebody scrolls -------------------------------------------------------------------------

let shown = calls.map((_, at) => at), made = 0, chosen = -1;

function row(at, place) {
  const call = calls[at], line = make('tr');
  line.tabIndex = place === 0 ? 0 : -1;
  line.dataset.at = at;
  line.setAttribute('aria-rowindex', place + 2);
  line.setAttribute('aria-selected', at === chosen);
  const status = make('td', call.status || 'error', 'status s' + String(call.status)[0]);
  if (call.warnings.length) status.append(make('span', '⚠', 'mark'));
  const bar = make('td', '', 'waterfall');
  const path = make('td', call.target, 'path');
  path.title = call.target + (call.why ? '\n' + call.why : '');
  line.append(make('td', call.number, 'number'), make('td', call.verb, 'verb'), path, status,
    make('td', time(call.seconds), 'time'), make('td', size(call.size), 'bytes'), bar);
  const extra = call.warnings.length ? `, ${call.warnings.length} warnings` : '';
  line.setAttribute('aria-label',
    `${call.number}, ${call.method} ${call.target}, ${call.status || 'no answer'}, ${time(call.seconds)}${extra}`);
  return line;
}

function more(until) {
  const fresh = document.createDocumentFragment();
  const end = Math.min(shown.length, Math.max(made + CHUNK, until || 0));
  for (; made < end; made += 1) fresh.append(row(shown[made], made));
  body.append(fresh);
}

function refill() {
  body.replaceChildren();
  made = 0;
  table.setAttribute('aria-rowcount', shown.length + 1);
  more();
  drawLater();
  count.textContent = shown.length === calls.length ? `${calls.length} shown` : `${shown.length} of ${calls.length} shown`;
}

// The waterfall is that of the rows in view: over a whole long trace every call would be a hair.
let drawing = false;

function drawLater() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const height = body.firstChild ? body.firstChild.getBoundingClientRect().height || 1 : 1;
    const first = Math.max(0, Math.floor(list.scrollTop / height) - 1);
    const lines = [...body.children].slice(first, first + Math.ceil(list.clientHeight / height) + 2);
    const clock = clockOf(lines.map((line) => calls[line.dataset.at]));
    for (const line of lines) line.lastChild.replaceChildren(waterfall(calls[line.dataset.at], clock));
  });
}

list.addEventListener('scroll', () => {
  if (list.scrollTop + list.clientHeight > list.scrollHeight - 400 && made < shown.length) more();
  drawLater();
}, { passive: true });
window.addEventListener('resize', drawLater, { passive: true });

// --- one exchange in full ------------------------------------------------------------------------------------------

function headers(title, line, pairs) {
  const part = document.createDocumentFragment();
  part.append(make('h3', title), make('p', line, 'mono'));
  const rows = make('table');
  for (const [name, value] of pairs) {
    const one = make('tr'), head = make('th', name);
    head.scope = 'row';
    one.append(head, make('td', value));
    rows.append(one);
  }
  part.append(rows);
  return part;
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;

function painted(text) {
  const box = make('pre');
  box.tabIndex = 0;
  if (text.length > 200000 || !/^\s*[[{]/.test(text)) {
    box.textContent = text;
    return box;
  }
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > end) box.append(text.slice(end, match.index));
    const name = match[1] ? 'k' : match[0][0] === '"' ? 't' : 'o';
    box.append(make('span', match[0], name));
    end = match.index + match[0].length;
  }
  box.append(text.slice(end));
  return box;
}

function bodyPart(title, index, note) {
  const part = make('section');
  part.setAttribute('aria-label', title);
  if (index !== null) {
    part.append(make('p', 'Unpacking…', 'quiet'));
    bodyText(index).then((text) => {
      const copy = make('button', 'Copy');
      copy.type = 'button';
      copy.addEventListener('click', () => navigator.clipboard.writeText(text).then(() => { copy.textContent = 'Copied'; }));
      part.firstChild.replaceWith(painted(text), copy);
    }, (error) => { part.firstChild.textContent = 'This body cannot be unpacked: ' + error.message; });
  }
  if (note) part.append(make('p', note, 'quiet'));
  return part;
}

function facts(title, pairs) {
  const kept = pairs.filter(([, value]) => value !== '');
  return kept.length ? headers(title, '', kept) : document.createDocumentFragment();
}

function show(at) {
  const call = calls[at];
  const close = make('button', 'Close');
  close.type = 'button';
  close.id = 'close';
  close.addEventListener('click', hide);
  detail.replaceChildren(close, make('h2', `${call.number}. ${call.method} ${call.target}`));
  if (call.why) detail.append(make('p', call.why));
  if (call.meant) detail.append(make('p', (call.status ? call.status + ': ' : '') + call.meant));
  if (call.warnings.length) {
    const warnings = make('ul');
    for (const text of call.warnings) warnings.append(make('li', text, 'warning'));
    detail.append(make('h3', 'Warnings'), warnings);
  }
  if (call.error) detail.append(make('p', call.error, 'error'));
  detail.append(headers('Request', `${call.method} ${call.url}`, call.asked), bodyPart('Request body', ...call.sent));
  if (call.line) detail.append(headers('Response', call.line, call.answered), bodyPart('Response body', ...call.got));
  if (call.frames.length) detail.append(facts('Frames', call.frames));
  if (call.events.length) detail.append(facts('Watch events', call.events));
  const [dns, connect, tls, first] = call.phases;
  detail.append(facts('Times', [['DNS lookup', time(dns)], ['TCP connect', time(connect)], ['TLS handshake', time(tls)],
    ['server processing', time(first)], ['until headers', time(call.head)], ['total', time(call.seconds)]]));
  detail.append(facts('Connection', call.connection));
  detail.hidden = false;
  main.classList.add('open');
  detail.scrollTop = 0;
}

function hide() {
  detail.hidden = true;
  main.classList.remove('open');
  const line = body.querySelector(`tr[data-at="${chosen}"]`);
  if (line) line.focus();
  history.replaceState(null, '', location.pathname + location.search);
}

function choose(place, focus) {
  if (place < 0 || place >= shown.length) return;
  more(place + 1);
  for (const old of body.querySelectorAll('tr[aria-selected="true"], tr[tabindex="0"]')) {
    old.setAttribute('aria-selected', 'false');
    old.tabIndex = -1;
  }
  const line = body.children[place];
  chosen = shown[place];
  line.setAttribute('aria-selected', 'true');
  line.tabIndex = 0;
  if (focus) line.focus();
  line.scrollIntoView({ block: 'nearest' });
  drawLater();
  show(chosen);
  history.replaceState(null, '', '#' + calls[chosen].number);
}

body.addEventListener('click', (event) => {
  const line = event.target.closest('tr');
  if (line) choose([...body.children].indexOf(line), true);
});

body.addEventListener('keydown', (event) => {
  const line = event.target.closest('tr');
  if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = [...body.children].indexOf(line), page = Math.max(1, Math.floor(list.clientHeight / line.offsetHeight) - 2);
  const to = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0,
    End: shown.length - 1, Enter: place, ' ': place }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(Math.min(shown.length - 1, Math.max(0, to)), true);
  if (event.key === 'Enter') document.getElementById('close').focus();
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !detail.hidden) hide();
  else if (event.key === '/' && !/^(INPUT|SELECT)$/.test(event.target.tagName)) { event.preventDefault(); search.focus(); }
});

// --- search --------------------------------------------------------------------------------------------------------

const KINDS = {
  all: () => true,
  failed: (call) => call.status === 0 || call.status >= 400,
  writes: (call) => !['GET', 'HEAD'].includes(call.method),
  warned: (call) => call.warnings.length > 0,
};

function plain(call) {
  if (!call.plain) {
    const pairs = [...call.asked, ...call.answered].map((pair) => pair.join(': '));
    call.plain = [call.number, call.method, call.verb, call.url, call.status, call.why, call.meant, call.error,
      ...call.warnings, ...pairs].join('\n').toLowerCase();
  }
  return call.plain;
}

async function held(call, wanted) {
  for (const [index] of [call.sent, call.got]) {
    if (index !== null && index !== undefined && (await bodyText(index)).toLowerCase().includes(wanted)) return true;
  }
  return false;
}

let run = 0;
async function find() {
  const mine = run += 1, wanted = search.value.trim().toLowerCase(), fits = KINDS[kind.value], found = [];
  const deep = wanted && inBodies.checked;
  if (deep) count.textContent = 'Searching…';
  for (let at = 0; at < calls.length; at += 1) {
    if (!fits(calls[at])) continue;
    if (!wanted || plain(calls[at]).includes(wanted)) found.push(at);
    else if (deep && await held(calls[at], wanted)) found.push(at);
    if (mine !== run) return;
  }
  shown = found;
  refill();
}

for (const field of [search, kind, inBodies]) field.addEventListener('input', find);
document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());

// --- the start -----------------------------------------------------------------------------------------------------

const failed = calls.filter(KINDS.failed).length;
const total = calls.reduce((sum, call) => sum + (call.size || 0), 0);
document.getElementById('summary').textContent =
  `${calls.length} exchanges, ${failed} failed, ${size(total)} received`;
document.title = `kubetrace: ${calls.length} exchanges`;
const leftOut = document.getElementById('left-out');
if (leftOut) document.querySelector('header').append(leftOut);
refill();
const wanted = calls.findIndex((call) => '#' + call.number === location.hash);
if (wanted >= 0) choose(wanted, false);
document.documentElement.dataset.opened = Math.round(performance.now());
