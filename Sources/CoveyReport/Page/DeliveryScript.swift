extension PageScript {
    /// How many messages had arrived after how long, beside how many could have.
    static let delivery = #"""
        function makeDelivery() {
          const holder = byId("curve"), choice = byId("curve-class"), log = byId("curve-log");
          const curves = rec.curves.filter((curve) => curve.created > 0);
          if (!curves.length) { holder.closest("section").remove(); return; }
          choice.replaceChildren(...curves.map((curve, index) => element("option", { value: index },
            curve.name === "all" ? "all classes" : curve.name)));
          const latest = (curve) => Math.max(curve.delays.at(-1) ?? 0, curve.oracleDelays.at(-1) ?? 0, 1);
          // Where most arrive early and a few very late, a linear axis shows nothing of the most.
          const skewed = curves.some((curve) => latest(curve) > 25 * (curve.delays[curve.delays.length >> 1] || latest(curve)));
          log.checked = skewed;
          let shape = null;
          const rankOf = (points, count, index) => points.length === count ? index + 1
            : Math.floor(index * (count - 1) / (points.length - 1)) + 1;
          function draw() {
            const curve = curves[+choice.value], width = holder.clientWidth, { left, right } = margin();
            const height = 250, inner = width - left - right, end = latest(curve);
            const first = Math.max(1e3, Math.min(...[curve.delays[0], curve.oracleDelays[0], end / 10].filter((v) => v > 0)));
            const start = log.checked ? 10 ** Math.floor(Math.log10(first)) : 0;
            const x = (delay) => left + inner * (log.checked
              ? Math.max(0, Math.log(Math.max(delay, start) / start) / Math.log(end / start || 2)) : delay / end);
            const y = (share) => height - (height - 8) * share;
            const root = element("svg", { width, height: height + 22, role: "img",
              "aria-label": `Delivered ${curve.delivered} of ${curve.created}; the oracle ${curve.reachable}` });
            for (const share of [0, 0.25, 0.5, 0.75, 1]) {
              root.append(element("line", { class: "axis", x1: left, x2: left + inner, y1: y(share), y2: y(share) }));
              root.append(element("text", { x: left - 10, y: y(share) + 4, "text-anchor": "end" }, share * 100 + " %"));
            }
            const ticks = [], step = end < 5e6 ? decimalStep(end, inner / 90) : timeStep(end, inner / 90);
            if (log.checked) for (let at = start; at <= end; at *= 10) ticks.push(at);
            else for (let at = 0; at <= end; at += step) ticks.push(at);
            for (const at of ticks) {
              root.append(element("line", { class: "axis", x1: x(at), x2: x(at), y1: y(1), y2: height + 4 }));
              if (x(at) < width - 22) root.append(element("text", { x: x(at), y: height + 18, "text-anchor": "middle" },
                log.checked ? span(at).replace(/\.0+ /, " ") : tickTime(at, step, end)));
            }
            const path = (points, count) => {
              let d = `M${left} ${y(0)}`, at = 0;
              points.forEach((delay, index) => {
                const share = rankOf(points, count, index) / curve.created;
                d += `L${x(delay).toFixed(1)} ${y(at).toFixed(1)}L${x(delay).toFixed(1)} ${y(share).toFixed(1)}`;
                at = share;
              });
              return d + `L${left + inner} ${y(at).toFixed(1)}`;
            };
            const ours = path(curve.delays, curve.delivered);
            root.append(element("path", { d: ours + `V${y(0)}H${left}Z`, fill: series(0), opacity: 0.1 }));
            if (curve.oracleDelays.length) root.append(element("path", { d: path(curve.oracleDelays, curve.reachable),
              fill: "none", stroke: "var(--soft)", "stroke-width": 1.6, "stroke-dasharray": "5 4" }));
            root.append(element("path", { d: ours, fill: "none", stroke: series(0), "stroke-width": 2.2,
              "stroke-linejoin": "round" }));
            holder.querySelector("svg")?.remove();
            holder.prepend(root);
            legend(byId("curve-legend"), [[series(0), `delivered: ${grouped(curve.delivered)} of ${grouped(curve.created)}`, "stroke"],
              [palette.soft, `oracle: ${grouped(curve.reachable)}, the earliest arrival over the contacts there were`, "stroke dashed"]]);
            shape = { curve, left, inner, start, end };
          }
          const within = (points, count, delay) => {
            const index = points.findLastIndex((point) => point <= delay);
            return index < 0 ? 0 : rankOf(points, count, index);
          };
          tooltip(holder, (px) => {
            const { curve, left, inner, start, end } = shape, part = (px - left) / inner;
            if (part < 0 || part > 1) return "";
            const delay = log.checked ? start * (end / start) ** part : end * part;
            return `within ${span(delay)}\ndelivered ${percent(within(curve.delays, curve.delivered, delay) / curve.created)}`
              + `\noracle ${percent(within(curve.oracleDelays, curve.reachable, delay) / curve.created)}`;
          });
          choice.addEventListener("change", draw);
          log.addEventListener("change", draw);
          if (curves.length < 2) choice.parentElement.hidden = true;
          views.push({ draw, tick() {} });
        }
        """#
}
