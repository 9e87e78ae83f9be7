extension PageScript {
    /// Lanes, bytes and buffers, all under one cursor.
    static let overTime = #"""
        function makeLanes() {
          const holder = byId("lanes");
          const violations = result.assertions.filter((a) => a.firstViolation && a.verdict !== "passed")
            .map((a) => ({ lane: "violations", label: a.name, from: a.firstViolation.time, to: a.firstViolation.time,
              hosts: [], furtherHosts: 0 }));
          const all = [...rec.intervals, ...violations];
          if (!all.length) { holder.closest("figure").remove(); return; }
          const order = ["violations", "partitions", "crashes", "revocations", "bridges"];
          const names = [...new Set(all.map((interval) => interval.lane))].sort((a, b) =>
            (order.indexOf(a) + 1 || 99) - (order.indexOf(b) + 1 || 99) || (a < b ? -1 : 1));
          const colourOf = (lane) => lane === "violations" ? palette.failed : series([1, 8, 4, 2][order.indexOf(lane) - 1]
            ?? 5 + names.indexOf(lane));
          // Within a lane what overlaps stands in rows, five at most; the rest shares the last.
          const lanes = names.map((name) => {
            const rows = [], intervals = all.filter((interval) => interval.lane === name);
            const room = duration / 90;
            for (const interval of intervals) {
              let row = rows.findIndex((end) => end <= interval.from);
              if (row < 0) row = rows.length < 5 ? rows.length : 4;
              rows[row] = Math.max(interval.to, interval.from + room);
              interval.row = row;
            }
            return { name, intervals, rows: rows.length };
          });
          let plot = null, marks = [];
          function draw() {
            const thick = 17;
            const height = lanes.reduce((sum, lane) => sum + lane.rows * thick + 8, 0);
            plot = timePlot(holder, height);
            marks = [];
            let y = 4;
            for (const lane of lanes) {
              plot.root.append(element("text", { x: plot.left - 10, y: y + 12.5, "text-anchor": "end" }, lane.name));
              plot.root.append(element("rect", { x: plot.left, y: y - 2, width: plot.inner, height: lane.rows * thick + 3,
                fill: "var(--track)", rx: 3, opacity: 0.6 }));
              for (const interval of lane.intervals) {
                const x = plot.x(interval.from), end = plot.x(interval.to), top = y + interval.row * thick;
                const fill = colourOf(lane.name);
                if (interval.from === interval.to) {
                  plot.root.append(element("path", { fill, d: `M${x} ${top + 1.5}l5.5 6l-5.5 6l-5.5 -6z` }));
                } else {
                  plot.root.append(element("rect", { x, y: top + 1, width: Math.max(2, end - x), height: thick - 4, fill,
                    rx: 2.5, opacity: 0.9 }));
                  if (interval.label.length * 6.2 + 12 < end - x) plot.root.append(
                    element("text", { class: "inside", x: x + 6, y: top + 11.5 }, interval.label));
                }
                marks.push({ x: x - 5, end: Math.max(end, x + 5) + 1, top, bottom: top + thick, interval });
              }
              y += lane.rows * thick + 8;
            }
            plot.root.append(plot.cursor);
            holder.querySelector("svg")?.remove();
            holder.prepend(plot.root);
            plot.place();
          }
          const markAt = (px, py) => marks.findLast((m) => m.x <= px && px <= m.end && m.top <= py && py <= m.bottom);
          tooltip(holder, (px, py) => {
            const interval = markAt(px, py)?.interval;
            if (!interval) return "";
            const hosts = interval.hosts.slice(0, 8).map(hostName).join(", ");
            const more = interval.hosts.length + interval.furtherHosts - Math.min(8, interval.hosts.length);
            return interval.label + "\n" + clock(interval.from)
              + (interval.to > interval.from ? ` to ${clock(interval.to)}, ${span(interval.to - interval.from)}` : "")
              + (hosts ? "\n" + hosts + (more ? ` and ${grouped(more)} more` : "") : "");
          });
          scrub(holder, () => plot);
          if (rec.intervalStride > 1) byId("lanes-note").textContent = `Every ${rec.intervalStride}th entry is shown.`;
          views.push({ draw, tick: () => plot.place() });
        }

        function makeBytes() {
          const holder = byId("bytes");
          if (!rec.frames.length) { holder.closest("figure").remove(); return; }
          const bins = rec.frames[0].bytes.length, seconds = rec.bin / 1e6;
          const sums = Array(bins).fill(0);
          for (const frame of rec.frames) frame.bytes.forEach((value, bin) => { sums[bin] += value; });
          const top = Math.max(1, ...sums) / seconds;
          let plot = null;
          function draw() {
            const height = 150, step = decimalStep(top, 3);
            plot = timePlot(holder, height);
            const y = (rate) => height - (height - 6) * rate / top;
            for (let rate = step; rate <= top; rate += step) {
              plot.root.append(element("line", { class: "axis", x1: plot.left, x2: plot.left + plot.inner, y1: y(rate), y2: y(rate) }));
              plot.root.append(element("text", { x: plot.left - 10, y: y(rate) + 4, "text-anchor": "end" }, bytes(rate) + "/s"));
            }
            const base = Array(bins).fill(0);
            rec.frames.forEach((frame, index) => {
              let there = "", back = "";
              for (let bin = 0; bin < bins; bin += 1) {
                const from = plot.x(bin * rec.bin), to = plot.x((bin + 1) * rec.bin);
                const low = base[bin] / seconds, high = (base[bin] + frame.bytes[bin]) / seconds;
                base[bin] += frame.bytes[bin];
                there += `${bin ? "L" : "M"}${from.toFixed(1)} ${y(high).toFixed(1)}L${to.toFixed(1)} ${y(high).toFixed(1)}`;
                back = `L${to.toFixed(1)} ${y(low).toFixed(1)}L${from.toFixed(1)} ${y(low).toFixed(1)}` + back;
              }
              plot.root.append(element("path", { d: there + back + "Z", fill: series(index) }));
            });
            plot.root.append(plot.cursor);
            holder.querySelector("svg")?.remove();
            holder.prepend(plot.root);
            plot.place();
            legend(byId("bytes-legend"), rec.frames.map((frame, index) =>
              [series(index), `${frame.name} ${bytes(frame.bytes.reduce((a, b) => a + b, 0))}`]));
          }
          tooltip(holder, (px) => {
            if (px < plot.left || px > plot.left + plot.inner) return "";
            const bin = Math.min(bins - 1, Math.floor(plot.at(px) / rec.bin));
            const rows = rec.frames.map((frame) => [frame.name, frame.bytes[bin]]).filter((row) => row[1] > 0)
              .sort((a, b) => b[1] - a[1]).slice(0, 5);
            return [`${clock(bin * rec.bin)}  ${bytes(sums[bin])}`, ...rows.map((row) => `${row[0]}  ${bytes(row[1])}`)].join("\n");
          });
          scrub(holder, () => plot);
          views.push({ draw, tick: () => plot.place() });
        }

        function makeHeat() {
          const holder = byId("heat");
          if (!rec.heat.length) { holder.closest("figure").remove(); return; }
          const rows = rec.heat.length, bins = rec.heat[0].fill.length, single = rec.heat.every((row) => row.hosts === 1);
          const canvas = element("canvas", { role: "img", "aria-label": "Buffer in use, hosts by time" });
          let plot = null, height = 0;
          // Five colours, straight lines between them.
          function ramp() {
            const stops = palette.heat.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
            return (share) => {
              const place = Math.min(3.999, Math.max(0, share * 4)), low = Math.floor(place), part = place - low;
              return stops[low].map((value, i) => value + part * (stops[low + 1][i] - value));
            };
          }
          function draw() {
            const each = rows <= 24 ? 12 : rows <= 60 ? 6 : Math.max(1.4, 300 / rows);
            height = Math.round(rows * each);
            plot = timePlot(holder, height);
            plot.root.style.position = "absolute"; plot.root.style.inset = "0 auto auto 0";
            const image = new ImageData(bins, rows), colour = ramp();
            rec.heat.forEach((row, index) => row.fill.forEach((fill, bin) => {
              const [r, g, b] = colour(fill / 1000);
              image.data.set([r, g, b, 255], 4 * (index * bins + bin));
            }));
            canvas.width = bins; canvas.height = rows; canvas.getContext("2d").putImageData(image, 0, 0);
            Object.assign(canvas.style, { marginLeft: plot.left + "px", width: plot.inner + "px", height: height + "px",
              imageRendering: "pixelated", marginBottom: "20px" });
            plot.root.querySelectorAll(".axis").forEach((line) => line.setAttribute("y1", height));
            // Names of hosts where there is room, else of groups at their first rows.
            let last = -99, before = null;
            rec.heat.forEach((row, index) => {
              const host = rec.hosts[row.firstHost], y = index * each;
              const text = each >= 11 ? host.name : host.group === before ? null : host.group;
              before = host.group;
              if (!text || y - last < 11) return;
              last = y;
              const room = Math.floor((plot.left - 14) / 6.2);
              plot.root.append(element("text", { x: plot.left - 10, y: y + (each >= 11 ? each / 2 + 4 : 9), "text-anchor": "end" },
                text.length > room ? text.slice(0, room - 1) + "…" : text));
            });
            plot.root.append(plot.cursor);
            holder.querySelector("svg")?.remove();
            holder.prepend(canvas, plot.root);
            plot.place();
          }
          const rowAt = (py) => Math.min(rows - 1, Math.max(0, Math.floor(py / height * rows)));
          tooltip(holder, (px, py) => {
            if (px < plot.left || py > height) return "";
            const row = rec.heat[rowAt(py)], bin = Math.min(bins - 1, Math.floor(plot.at(px) / rec.bin));
            return (single ? hostName(row.firstHost) : `${hostName(row.firstHost)} and ${row.hosts - 1} more`)
              + `\n${clock(bin * rec.bin)}  ${percent(row.fill[bin] / 1000)} in use`;
          });
          scrub(holder, () => plot, (px, py) => { if (single && py <= height) setHost(rec.heat[rowAt(py)].firstHost); });
          if (!single) byId("heat-note").textContent = `A row is the mean of up to ${rec.heat[0].hosts} hosts.`;
          views.push({ draw, tick: () => plot.place() });
        }
        """#
}
