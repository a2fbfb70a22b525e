"use strict";
// The table of candidates, the lines through their parameters and the timeline. Whatever comes from the data is set as
// text, never as HTML. Only a page of the table is ever in the document.
(() => {
  const PAGE = 25;
  const WINNER = "#b34700";
  const SCALE = [[0, 32, 77], [66, 78, 108], [124, 123, 120], [188, 165, 90], [226, 178, 20]]; // cividis, darker at its end: lines are thin
  const told = JSON.parse(document.getElementById("told").textContent);
  const { columns, rows, axes, spans } = told;
  const byId = (id) => document.getElementById(id);
  const statusColumn = columns.length - 1;
  const state = { order: rows.map((_, place) => place), sort: null, descending: false, page: 0, kept: axes.map(() => null) };

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  // ---- which candidates are shown

  // A word is looked for in all cells; NAME=VALUE, NAME<VALUE and NAME>VALUE in the column of that name.
  function matcher(text) {
    const terms = text.trim().toLowerCase().split(/\s+/).filter(Boolean).map((term) => {
      const found = /^(.+?)(<=|>=|=|<|>)(.+)$/.exec(term);
      const column = found ? columns.findIndex((each) => named(each.name, found[1])) : -1;
      if (column < 0) return (row) => row.some((cell) => String(cell ?? "").toLowerCase().includes(term));
      const [, , sign, wanted] = found;
      const number = Number(wanted);
      return (row) => {
        const cell = row[column];
        if (sign === "=") return String(cell ?? "").toLowerCase() === wanted || (cell !== null && cell !== "" && Number(cell) === number);
        if (typeof cell !== "number" || Number.isNaN(number)) return false;
        return sign === "<" ? cell < number : sign === ">" ? cell > number : sign === "<=" ? cell <= number : cell >= number;
      };
    });
    return (row) => terms.every((term) => term(row));
  }

  function named(name, asked) {
    const whole = name.toLowerCase();
    return whole === asked || whole.replace("mean ", "") === asked || whole.split("__").pop() === asked;
  }

  function crosses(place) {
    return axes.every((axis, which) => {
      const kept = state.kept[which];
      const at = axis.at[place];
      return !kept || (at !== null && at >= kept[0] && at <= kept[1]);
    });
  }

  function choose() {
    const fits = matcher(byId("filter").value);
    const status = byId("status").value;
    state.order = rows.map((_, place) => place).filter((place) =>
      crosses(place) && (!status || rows[place][statusColumn] === status) && fits(rows[place]));
    if (state.sort !== null) state.order.sort(compare);
    state.page = 0;
    show();
  }

  function compare(one, other) {
    const [a, b] = [rows[one][state.sort], rows[other][state.sort]];
    const [noA, noB] = [a === null || a === "", b === null || b === ""];
    if (noA || noB) return noA - noB || one - other; // what has no value comes last, whichever way
    const numbers = typeof a === "number" && typeof b === "number";
    const sign = numbers ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
    return (state.descending ? -sign : sign) || one - other;
  }

  // ---- the table

  function head() {
    const row = element("tr");
    columns.forEach((column, place) => {
      const cell = element("th", undefined, { scope: "col" });
      if (column.number) cell.className = "number";
      const button = element("button", column.name, { type: "button" });
      button.addEventListener("click", () => {
        state.descending = state.sort === place ? !state.descending : column.name.startsWith("mean ");
        state.sort = place;
        row.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
        choose();
      });
      cell.append(button);
      row.append(cell);
    });
    byId("table").tHead.append(row);
  }

  function show() {
    const pages = Math.max(1, Math.ceil(state.order.length / PAGE));
    const first = state.page * PAGE;
    const body = document.createDocumentFragment();
    for (const place of state.order.slice(first, first + PAGE)) {
      const row = element("tr");
      row.className = rows[place][statusColumn];
      rows[place].forEach((value, column) => {
        const cell = element("td", value === null ? "" : value);
        if (columns[column].number) cell.className = "number";
        row.append(cell);
      });
      body.append(row);
    }
    byId("table").tBodies[0].replaceChildren(body);
    byId("count").textContent = `${state.order.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} candidates`;
    byId("page").textContent = `page ${state.page + 1} of ${pages}`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page + 1 >= pages;
    drawLines();
  }

  // ---- the lines

  const frame = { top: 34, bottom: 14, left: 46, right: 60 };

  function prepared(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif';
    return context;
  }

  function colour(share) {
    const at = Math.min(0.9999, Math.max(0, share)) * (SCALE.length - 1);
    const [low, high] = [SCALE[Math.floor(at)], SCALE[Math.floor(at) + 1]];
    return `rgb(${low.map((value, part) => Math.round(value + (high[part] - value) * (at % 1))).join(",")})`;
  }

  function layout() {
    const box = byId("parallel");
    const wanted = Math.max(box.parentElement.clientWidth, axes.length * 84 + frame.left);
    box.style.width = `${wanted}px`;
    const height = box.clientHeight;
    const x = (which) => axes.length > 1
      ? frame.left + (wanted - frame.left - frame.right) * which / (axes.length - 1) : wanted / 2;
    const y = (at) => height - frame.bottom - at * (height - frame.top - frame.bottom);
    return { width: wanted, height, x, y, at: (pixel) => (height - frame.bottom - pixel) / (height - frame.top - frame.bottom) };
  }

  function line(context, place, { x, y }) {
    context.beginPath();
    let begun = false;
    axes.forEach((axis, which) => {
      if (axis.at[place] === null) return;
      begun ? context.lineTo(x(which), y(axis.at[place])) : context.moveTo(x(which), y(axis.at[place]));
      begun = true;
    });
    context.stroke();
  }

  function drawLines() {
    const at = layout();
    const context = prepared(byId("parallel").firstElementChild, at.width, at.height);
    const score = axes[axes.length - 1].at;
    const shown = new Set(state.order);
    const drawn = [...state.order].sort((one, other) => (score[one] ?? -1) - (score[other] ?? -1));
    context.lineWidth = drawn.length < 100 ? 1.6 : 1;
    if (shown.size < rows.length) {
      context.strokeStyle = "#e4e6ea";
      const step = Math.ceil(rows.length / 1000);
      for (let place = 0; place < rows.length; place += step) if (!shown.has(place)) line(context, place, at);
    }
    context.globalAlpha = Math.max(0.18, Math.min(0.8, 120 / drawn.length));
    for (const place of drawn) {
      context.strokeStyle = colour(score[place] ?? 0);
      line(context, place, at);
    }
    context.globalAlpha = 1;
    const winner = rows.findIndex((row) => row[statusColumn] === "winner");
    if (shown.has(winner)) {
      context.strokeStyle = WINNER;
      context.lineWidth = 3;
      line(context, winner, at);
    }
    drawAxes(context, at);
  }

  function drawAxes(context, { x, y, width }) {
    const room = width / Math.max(1, axes.length) - 12;
    axes.forEach((axis, which) => {
      context.strokeStyle = "#57606a";
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x(which), y(0));
      context.lineTo(x(which), y(1));
      context.stroke();
      context.fillStyle = "#1b1f24";
      context.textAlign = which === 0 ? "left" : which === axes.length - 1 ? "right" : "center";
      context.fillText(cut(context, axis.name, room), which === 0 ? 4 : which === axes.length - 1 ? width - 4 : x(which), 14);
      context.textAlign = "left";
      for (const [at, text] of axis.ticks) {
        const short = cut(context, text, room - 8);
        context.fillStyle = "rgba(255,255,255,.8)";
        context.fillRect(x(which) + 5, y(at) - 7, context.measureText(short).width + 4, 14);
        context.fillStyle = "#1b1f24";
        context.fillRect(x(which) - 3, y(at) - 0.5, 6, 1);
        context.fillText(short, x(which) + 7, y(at) + 4);
      }
    });
  }

  function cut(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    let kept = text;
    while (kept.length > 1 && context.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
    return `${kept}…`;
  }

  // ---- dragging along an axis

  function brushes() {
    const box = byId("parallel");
    axes.forEach((axis, which) => {
      const handle = element("div");
      handle.className = "axis";
      const kept = element("div");
      kept.className = "kept";
      kept.hidden = true;
      handle.append(kept);
      box.append(handle);
      let from = null;
      const place = (event) => Math.min(1, Math.max(0, layout().at(event.clientY - box.getBoundingClientRect().top)));
      handle.addEventListener("pointerdown", (event) => {
        handle.setPointerCapture(event.pointerId);
        from = place(event);
      });
      handle.addEventListener("pointermove", (event) => {
        if (from === null) return;
        const to = place(event);
        state.kept[which] = [Math.min(from, to) - 0.01, Math.max(from, to) + 0.01];
        mark();
      });
      const end = (event) => {
        if (from === null) return;
        if (Math.abs(place(event) - from) < 0.015) state.kept[which] = null;
        from = null;
        mark();
        choose();
      };
      handle.addEventListener("pointerup", end);
      handle.addEventListener("pointercancel", end);
    });
    mark();
  }

  function mark() {
    const { x, y } = layout();
    byId("parallel").querySelectorAll(".axis").forEach((handle, which) => {
      handle.style.left = `${x(which)}px`;
      const kept = state.kept[which];
      handle.firstElementChild.hidden = !kept;
      if (!kept) return;
      handle.firstElementChild.style.top = `${y(Math.min(1.01, kept[1]))}px`;
      handle.firstElementChild.style.height = `${y(Math.max(-0.01, kept[0])) - y(Math.min(1.01, kept[1]))}px`;
    });
  }

  // ---- the timeline

  const margin = { left: 4, bottom: 22 };

  function timeline() {
    const box = byId("fits");
    if (!box) return;
    const canvas = box.firstElementChild;
    const draw = () => {
      box.style.height = `${Math.min(420, 30 + Math.max(2, spans.lanes) * 22)}px`;
      const [width, height] = [box.clientWidth, box.clientHeight];
      const context = prepared(canvas, width, height);
      const whole = Math.max(0.001, spans.rows.reduce((latest, span) => Math.max(latest, span[2]), 0));
      const lane = (height - margin.bottom) / Math.max(1, spans.lanes);
      const x = (second) => margin.left + (width - 2 * margin.left) * second / whole;
      for (const [which, began, ended, , , , failed, won] of [...spans.rows].sort((one, other) => one[7] - other[7])) {
        context.fillStyle = won ? WINNER : failed ? "#1b1f24" : "#5a96bd";
        const wide = Math.max(won ? 2 : 0.6, x(ended) - x(began) - 0.5);
        context.fillRect(x(began), which * lane + (failed ? lane * 0.35 : 1), wide, failed ? lane * 0.3 : lane - 2);
      }
      context.fillStyle = "#1b1f24";
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        context.textAlign = share === 0 ? "left" : share === 1 ? "right" : "center";
        context.fillText(`${Number((whole * share).toPrecision(3))} s`, x(whole * share), height - 6);
      }
      return { whole, lane, x };
    };
    let drawn = draw();
    window.addEventListener("resize", () => { drawn = draw(); });
    canvas.addEventListener("pointermove", (event) => {
      const which = Math.floor(event.offsetY / drawn.lane);
      const found = spans.rows.find((span) => span[0] === which && drawn.x(span[1]) - 1 <= event.offsetX && event.offsetX <= drawn.x(span[2]) + 1);
      if (!found) return;
      const [, began, ended, number, many, fold, failed] = found;
      byId("fit").textContent = `#${number}${many > 1 ? ` and ${many - 1} more` : ""}, fold ${fold}: ${began} s to ${ended} s${failed ? ", failed" : ""}`;
    });
  }

  head();
  brushes();
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("filter").addEventListener("input", choose);
  byId("status").addEventListener("change", choose);
  byId("clear").addEventListener("click", () => {
    byId("filter").value = byId("status").value = "";
    state.kept = axes.map(() => null);
    mark();
    choose();
  });
  byId("previous").addEventListener("click", () => { state.page -= 1; show(); });
  byId("next").addEventListener("click", () => { state.page += 1; show(); });
  window.addEventListener("resize", () => { mark(); drawLines(); });
  show();
  timeline();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
