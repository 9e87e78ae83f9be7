/// The page's script, part by part: what all share, then one part a picture, then the start. No part reads anything
/// but the data in the page. Text from the run enters the document as text, never as markup.
enum PageScript {
    static let text = [common, topology, overTime, delivery, messagePath, start].joined(separator: "\n")

    /// Data, state, numbers, and the pieces pictures are made of.
    private static let common = #"""
        "use strict";
        document.body.dataset.errors = "0";
        addEventListener("error", () => { document.body.dataset.errors = String(1 + +document.body.dataset.errors); });

        const { result, recording: rec, layout } = JSON.parse(document.getElementById("data").textContent);
        const duration = rec ? Math.max(1, rec.duration) : 1;
        const state = { time: 0, host: -1, path: -1, playing: false, colour: "component" };
        const views = [];               // { draw(): after a change of size or theme, tick(): after a change of time or choice }
        const byId = (id) => document.getElementById(id);

        function element(name, attributes = {}, ...children) {
          const svg = ["svg", "g", "line", "path", "rect", "circle", "text", "title"].includes(name) && name !== "a";
          const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
          node.append(...children);
          return node;
        }
        // The style's colours, read once a theme.
        let palette = {};
        function readPalette() {
          const style = getComputedStyle(document.documentElement);
          const names = ["panel", "ink", "soft", "faint", "line", "track", "accent", "failed", "miss"];
          palette = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
          palette.series = Array.from({ length: 12 }, (_, i) => style.getPropertyValue("--c" + i).trim());
          palette.heat = Array.from({ length: 5 }, (_, i) => style.getPropertyValue("--heat" + i).trim());
        }
        const series = (index) => palette.series[index % palette.series.length];

        // Numbers. Times are microseconds.
        const grouped = (value) => Math.round(value).toLocaleString("en-US");
        const trimmed = (value) => value >= 100 ? grouped(value) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
        function bytes(value) {
          for (const [size, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
            if (value >= size) return trimmed(value / size) + " " + unit;
          }
          return Math.round(value) + " B";
        }
        function span(micros) {
          const s = micros / 1e6;
          if (s === 0) return "0 s";
          if (s < 0.001) return Math.round(micros) + " µs";
          if (s < 1) return (s * 1000).toFixed(s < 0.01 ? 1 : 0) + " ms";
          if (s < 120) return s.toFixed(s < 10 ? 2 : 1) + " s";
          if (s < 7200) return (s / 60).toFixed(1) + " min";
          return s < 172800 ? (s / 3600).toFixed(1) + " h" : (s / 86400).toFixed(1) + " d";
        }
        function clock(micros) {
          const s = Math.floor(micros / 1e6);
          const two = (value) => String(value).padStart(2, "0");
          const text = [s / 3600 % 24, s / 60 % 60, s % 60].map((part) => two(Math.floor(part))).join(":");
          return (s < 86400 ? "" : Math.floor(s / 86400) + " d ") + text
            + (duration < 120e6 ? "." + String(Math.floor(micros / 1e3) % 1000).padStart(3, "0") : "");
        }
        const percent = (share) => (share * 100).toFixed(share > 0.99 && share < 1 ? 2 : 1) + " %";
        const plural = (count, one, many) => grouped(count) + " " + (count === 1 ? one : many);

        // Steps of an axis: 1, 2 or 5 of a power of ten; for time, what clocks have.
        const decimalStep = (range, wanted) => {
          const raw = range / wanted, power = 10 ** Math.floor(Math.log10(raw));
          return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
        };
        const timeStep = (range, wanted) => {
          const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
            172800, 432000, 864000].map((seconds) => seconds * 1e6);
          return steps.find((step) => range / step <= wanted) ?? decimalStep(range, wanted);
        };
        function tickTime(micros, step, range = duration) {
          const s = Math.round(micros / 1e6);
          if (micros === 0) return "0";
          if (step >= 86400e6) return s / 86400 + " d";
          if (step >= 3600e6) return s >= 172800 ? +(s / 86400).toFixed(2) + " d" : s / 3600 + " h";
          if (step < 1e6) return span(micros);
          if (step < 60e6) return range > 600e6 ? clock(micros) : s + " s";
          return range >= 7200e6 ? Math.floor(s / 3600) + ":" + String(Math.floor(s / 60) % 60).padStart(2, "0") + " h"
            : +(s / 60).toFixed(1) + " min";
        }

        // All pictures over time share one plot: the same margins, the same axis, the same cursor.
        const margin = () => innerWidth < 680 ? { left: 74, right: 10 } : { left: 104, right: 14 };
        function timePlot(holder, height, { axis = true } = {}) {
          const width = holder.clientWidth, { left, right } = margin();
          const inner = Math.max(10, width - left - right);
          const x = (time) => left + inner * Math.min(1, Math.max(0, time / duration));
          const root = element("svg", { width, height: height + (axis ? 20 : 0), "aria-hidden": "true" });
          if (axis) {
            const step = timeStep(duration, Math.max(2, inner / 90));
            for (let time = 0; time <= duration; time += step) {
              root.append(element("line", { class: "axis", x1: x(time), x2: x(time), y1: 0, y2: height + 4 }));
              const anchor = time === 0 ? "start" : x(time) > left + inner - 20 ? "end" : "middle";
              root.append(element("text", { x: x(time), y: height + 17, "text-anchor": anchor }, tickTime(time, step)));
            }
          }
          const cursor = element("line", { class: "cursor", y1: 0, y2: height });
          return { root, x, width, inner, left, height, cursor,
            at: (px) => Math.min(1, Math.max(0, (px - left) / inner)) * duration,
            place() { const px = x(state.time); cursor.setAttribute("x1", px); cursor.setAttribute("x2", px); } };
        }
        // Dragging on a picture over time moves the time.
        function scrub(holder, plot, also) {
          const move = (event) => {
            const box = holder.getBoundingClientRect(), p = plot();
            setTime(p.at(event.clientX - box.left));
            also?.(event.clientX - box.left, event.clientY - box.top);
          };
          holder.addEventListener("pointerdown", (event) => {
            if (event.button !== 0) return;
            pause(); move(event); holder.setPointerCapture(event.pointerId);
            holder.onpointermove = move;
          });
          const release = () => { holder.onpointermove = null; writePlace(); };
          holder.addEventListener("pointerup", release);
          holder.addEventListener("pointercancel", release);
        }
        // A small label that follows the pointer; `textAt` gives what it says, or nothing.
        function tooltip(holder, textAt) {
          const tip = element("div", { class: "tip", hidden: "" });
          holder.append(tip);
          holder.addEventListener("pointermove", (event) => {
            const box = holder.getBoundingClientRect();
            const px = event.clientX - box.left, py = event.clientY - box.top;
            const text = textAt(px, py);
            tip.hidden = !text;
            if (!text) return;
            tip.textContent = text;
            tip.style.left = Math.max(0, Math.min(px + 12, box.width - tip.offsetWidth - 4)) + "px";
            tip.style.top = Math.max(0, py - tip.offsetHeight - 10) + "px";
          });
          holder.addEventListener("pointerleave", () => { tip.hidden = true; });
          return tip;
        }
        function legend(list, items) {
          list.replaceChildren(...items.map(([colour, text, shape = ""]) => {
            const swatch = element("i", { class: shape });
            swatch.style.color = colour;
            return element("li", {}, swatch, text);
          }));
        }
        // The last index whose time is not after `time`, in a list by ascending time; -1 before all.
        function lastBefore(list, time) {
          let low = 0, high = list.length;
          while (low < high) { const middle = (low + high) >> 1; if (list[middle].time <= time) low = middle + 1; else high = middle; }
          return low - 1;
        }
        const hostName = (index) => rec.hosts[index]?.name ?? "everybody";
        const classes = rec ? [...new Set(rec.paths.map((path) => path.class))].sort() : [];
        const classColour = (name) => series(1 + classes.indexOf(name));
        """#

    /// Time, the player, deep links.
    private static let start = #"""
        const tickAll = () => views.forEach((view) => view.tick());
        function setTime(time) {
          state.time = Math.min(duration, Math.max(0, time));
          byId("slider").value = Math.round(state.time / duration * 10000);
          byId("slider").setAttribute("aria-valuetext", clock(state.time));
          byId("now").textContent = clock(state.time);
          tickAll();
        }
        function setHost(host) {
          state.host = host;
          byId("host").value = host < 0 ? "" : hostName(host);
          tickAll(); writePlace();
        }
        // `#t=SECONDS&n=HOST&m=MESSAGE`, so that a place can be sent to somebody.
        function writePlace() {
          const parts = ["t=" + +(state.time / 1e6).toFixed(3)];
          if (state.host >= 0) parts.push("n=" + encodeURIComponent(hostName(state.host)));
          if (state.path >= 0 && pathChosen) parts.push("m=" + encodeURIComponent(rec.paths[state.path].message));
          history.replaceState(null, "", "#" + parts.join("&"));
        }
        let pathChosen = false;
        function readPlace() {
          const place = new URLSearchParams(location.hash.slice(1));
          const host = rec.hosts.findIndex((one) => one.name === place.get("n"));
          if (host >= 0) { state.host = host; byId("host").value = place.get("n"); }
          const path = rec.paths.findIndex((one) => one.message === place.get("m"));
          if (path >= 0) choosePath(path);
          if (place.has("t") && isFinite(+place.get("t"))) setTime(+place.get("t") * 1e6);
          return place.has("t");
        }
        let lastFrame = 0;
        function play() {
          if (state.time >= duration) setTime(0);
          state.playing = true; lastFrame = performance.now();
          byId("play").textContent = "Pause";
          requestAnimationFrame(frame);
        }
        function pause() {
          if (!state.playing) return;
          state.playing = false;
          byId("play").textContent = "Play";
          writePlace();
        }
        function frame(now) {
          if (!state.playing) return;
          setTime(state.time + Math.max(0, now - lastFrame) / 1000 * +byId("speed").value);
          lastFrame = now;
          if (state.time >= duration) pause(); else requestAnimationFrame(frame);
        }
        function startPlayer() {
          const slider = byId("slider"), speed = byId("speed");
          slider.addEventListener("input", () => { pause(); setTime(+slider.value / 10000 * duration); });
          slider.addEventListener("change", writePlace);
          byId("play").addEventListener("click", () => state.playing ? pause() : play());
          // Speeds: the whole run in so many seconds, named by what passes in one.
          speed.replaceChildren(...[240, 120, 60, 30, 15].map((seconds) => element("option", { value: duration / seconds },
            span(duration / seconds).replace(/\.0+ /, " ") + " a second")));
          speed.selectedIndex = 2;
          byId("host-names").replaceChildren(...rec.hosts.map((host) => element("option", { value: host.name })));
          byId("host").addEventListener("change", (event) =>
            setHost(rec.hosts.findIndex((host) => host.name === event.target.value.trim())));
          document.addEventListener("keydown", (event) => {
            if (event.target.closest("input, select, button, a, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
            const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (event.key === " ") { event.preventDefault(); state.playing ? pause() : play(); }
            else if (step) { event.preventDefault(); pause(); setTime(state.time + step * duration / (event.shiftKey ? 20 : 240)); }
          });
        }
        const redraw = () => { readPalette(); views.forEach((view) => view.draw()); };
        readPalette();
        byId("theme").addEventListener("click", () => {
          const root = document.documentElement;
          const dark = getComputedStyle(root).colorScheme === "dark";
          root.dataset.theme = dark ? "light" : "dark";
          redraw();
        });
        if (rec) {
          startPlayer();
          for (const make of [makeTopology, makeLanes, makeBytes, makeHeat, makeDelivery, makePath]) make();
          redraw();
          setTime(0);
          if (readPlace()) byId("world").scrollIntoView({ block: "start" });
          addEventListener("hashchange", () => { if (readPlace()) byId("world").scrollIntoView({ block: "start" }); });
          let width = innerWidth;
          addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
          matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
        }
        document.body.dataset.ready = "true";
        """#
}
