extension PageScript {
    /// One message from host to host: time to the right, a line a host.
    static let messagePath = #"""
        // The hops that brought a message to its recipient, in order; none when it did not get there.
        function wayTo(path) {
          if (path.to === undefined || path.to === null) return [];
          const arrival = new Map(path.hops.map((hop) => [hop.to, hop]));
          const way = [];
          for (let at = path.to; at !== path.from && arrival.has(at) && way.length <= path.hops.length; at = arrival.get(at).from) {
            way.unshift(arrival.get(at));
          }
          return way.length && way[0].from === path.from ? way : [];
        }
        function makePath() {
          const holder = byId("path"), choice = byId("path-choice"), only = byId("path-only"), steps = byId("path-steps");
          if (!rec.paths.length) { holder.closest("section").remove(); return; }
          choice.replaceChildren(...rec.paths.map((path, index) => element("option", { value: index },
            `${path.message} · ${path.class} · ${hostName(path.from)} → ${path.to == null ? "everybody" : hostName(path.to)} · `
            + (path.delivered != null ? "in " + span(path.delivered - path.created)
              : path.to == null ? plural(path.hops.length + path.furtherHops, "host", "hosts")
              : path.oracle != null ? "not delivered, the oracle could" : "out of reach"))));
          // Begin with what is most worth looking at: the longest way.
          const lengths = rec.paths.map((path) => wayTo(path).length);
          state.path = lengths.indexOf(Math.max(...lengths));
          let marks = [], plot = null;
          function draw() {
            const path = rec.paths[state.path], way = wayTo(path), onWay = new Set(way);
            choice.value = state.path;
            only.disabled = !way.length;
            const hops = (only.checked && way.length ? way : path.hops);
            // The sender first, then by arrival. Too many for the picture: the way, and the first of the others.
            let rows = [path.from, ...hops.map((hop) => hop.to)];
            const limit = innerWidth < 680 ? 24 : 36, keep = new Set(way.map((hop) => hop.to));
            let spare = limit - 1 - keep.size;
            rows = rows.filter((host, index) => index === 0 || keep.has(host) || spare-- > 0);
            const rowOf = new Map(rows.map((host, index) => [host, index]));
            const shown = hops.filter((hop) => rowOf.has(hop.to) && rowOf.has(hop.from));
            const last = Math.max(path.delivered ?? 0, path.oracle ?? 0, shown.at(-1)?.time ?? 0, path.created + 1);
            const end = last + (last - path.created) * 0.04;
            const width = holder.clientWidth, { left, right } = margin(), inner = width - left - right;
            const each = rows.length <= 12 ? 24 : 18, height = rows.length * each + 10;
            const x = (time) => left + inner * (time - path.created) / (end - path.created);
            const y = (host) => 8 + each * rowOf.get(host) + each / 2;
            const root = element("svg", { width, height: height + 20, role: "img",
              "aria-label": `The path of ${path.message}; the list below says the same` });
            const step = end - path.created < 5e6 ? decimalStep(end - path.created, inner / 100) : timeStep(end - path.created, inner / 100);
            for (let time = 0; time <= end - path.created; time += step) {
              const px = x(path.created + time);
              root.append(element("line", { class: "axis", x1: px, x2: px, y1: 0, y2: height + 3 }));
              if (px < width - 30) root.append(element("text", { x: px, y: height + 16, "text-anchor": time ? "middle" : "start" },
                "+" + tickTime(time, step, end - path.created)));
            }
            if (path.oracle != null) {
              root.append(element("line", { x1: x(path.oracle), x2: x(path.oracle), y1: 0, y2: height, stroke: "var(--soft)",
                "stroke-width": 1.5, "stroke-dasharray": "5 4" }));
            }
            const held = new Map([[path.from, path.created], ...shown.map((hop) => [hop.to, hop.time])]);
            marks = [];
            rows.forEach((host) => {
              const strong = host === path.from || host === path.to || keep.has(host);
              const text = hostName(host), room = Math.floor((left - 14) / 6.4);
              root.append(element("text", { x: left - 10, y: y(host) + 4, "text-anchor": "end",
                style: strong ? "fill: var(--ink); font-weight: 600" : "" }, text.length > room ? text.slice(0, room - 1) + "…" : text));
              root.append(element("line", { x1: left, x2: left + inner, y1: y(host), y2: y(host), stroke: "var(--track)" }));
              if (held.has(host)) root.append(element("line", { x1: x(held.get(host)), x2: left + inner, y1: y(host), y2: y(host),
                stroke: strong ? classColour(path.class) : "var(--faint)", "stroke-width": strong ? 2 : 1, opacity: strong ? 0.55 : 0.5 }));
            });
            for (const hop of [...shown.filter((hop) => !onWay.has(hop)), ...shown.filter((hop) => onWay.has(hop))]) {
              const strong = onWay.has(hop), from = y(hop.from), to = y(hop.to), px = x(hop.time), sign = Math.sign(to - from);
              const colour = strong ? classColour(path.class) : "var(--faint)";
              root.append(element("path", { d: `M${px} ${from}V${to - sign * 4}`, stroke: colour, fill: "none",
                "stroke-width": strong ? 2.2 : 1, opacity: strong ? 1 : 0.65 }));
              root.append(element("path", { d: `M${px} ${to}l${-3.5} ${-sign * 7}h7z`, fill: colour }));
              marks.push({ x: px, y: to, hop });
            }
            root.append(element("circle", { cx: x(path.created), cy: y(path.from), r: 4.5, fill: classColour(path.class) }));
            if (path.delivered != null && rowOf.has(path.to)) root.append(element("circle", { cx: x(path.delivered), cy: y(path.to),
              r: 5.5, fill: "var(--panel)", stroke: classColour(path.class), "stroke-width": 2.5 }));
            const cursor = element("line", { class: "cursor", y1: 0, y2: height });
            root.append(cursor);
            holder.querySelector("svg")?.remove();
            holder.prepend(root);
            plot = { at: (px) => path.created + Math.min(1, Math.max(0, (px - left) / inner)) * (end - path.created),
              place() {
                const inside = state.time >= path.created && state.time <= end;
                cursor.setAttribute("visibility", inside ? "visible" : "hidden");
                cursor.setAttribute("x1", x(state.time)); cursor.setAttribute("x2", x(state.time));
              } };
            plot.place();
            describe(path, way, hops.length - shown.length);
          }
          function describe(path, way, hiddenHops) {
            const hop = (host, time) => element("li", {}, element("b", {}, hostName(host)), " " + clock(time));
            steps.replaceChildren(...(way.length ? [hop(path.from, path.created), ...way.map((h) => hop(h.to, h.time))]
              : [element("li", {}, `Created at ${clock(path.created)} by ${hostName(path.from)}. `
                + (path.to == null ? "For everybody." : "It did not reach " + hostName(path.to) + "."))]));
            const items = [[classColour(path.class), "the way to the recipient", "stroke"], [palette.faint, "other first copies", "stroke"]];
            if (path.oracle != null) items.push([palette.soft, "the oracle delivers" + (path.delivered != null
              ? `, ${span(path.delivered - path.oracle)} earlier` : ""), "stroke dashed"]);
            legend(byId("path-legend"), items);
            byId("path-note").textContent = [bytes(path.bytes), plural(path.hops.length + path.furtherHops, "first copy", "first copies"),
              hiddenHops + path.furtherHops > 0 ? `${grouped(hiddenHops + path.furtherHops)} not drawn` : ""].filter(Boolean).join(", ");
          }
          tooltip(holder, (px, py) => {
            const mark = marks.find((m) => Math.hypot(m.x - px, m.y - py) < 9);
            return mark ? `${hostName(mark.hop.from)} → ${hostName(mark.hop.to)}\n${clock(mark.hop.time)}` : "";
          });
          scrub(holder, () => plot);
          const choose = (index) => { pathChosen = true; state.path = (index + rec.paths.length) % rec.paths.length; draw(); tickAll(); };
          choice.addEventListener("change", () => { choose(+choice.value); writePlace(); });
          byId("path-back").addEventListener("click", () => { choose(state.path - 1); writePlace(); });
          byId("path-on").addEventListener("click", () => { choose(state.path + 1); writePlace(); });
          only.addEventListener("change", draw);
          choosePath = choose;
          views.push({ draw, tick: () => plot.place() });
        }
        let choosePath = () => {};
        """#
}
