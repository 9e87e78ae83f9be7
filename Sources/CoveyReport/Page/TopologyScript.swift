extension PageScript {
    /// Hosts, contacts and messages at one time.
    static let topology = #"""
        function makeTopology() {
          const holder = byId("stage"), canvas = byId("topology"), note = byId("topology-note");
          const hosts = rec.hosts, count = hosts.length, moving = rec.positions.length > 1;
          const frames = rec.positions.length ? rec.positions : [{ time: 0, places: layout }];
          const groups = [...new Set(hosts.map((host) => host.group))];
          const groupOf = hosts.map((host) => groups.indexOf(host.group));
          const perHost = rec.heat.length === count && count > 0;
          // Places in the recording, once for all times, so that the picture does not breathe.
          let box = [Infinity, Infinity, -Infinity, -Infinity];
          for (const { places } of frames) for (let i = 0; i < places.length; i += 2) {
            box = [Math.min(box[0], places[i]), Math.min(box[1], places[i + 1]),
              Math.max(box[2], places[i]), Math.max(box[3], places[i + 1])];
          }
          // A component keeps its colour while it lasts: the first seen takes the first colour. One host alone has none.
          const hue = new Map();
          for (const { labels } of rec.components) {
            const size = new Map();
            for (const label of labels) size.set(label, 1 + (size.get(label) ?? 0));
            for (const [label, members] of [...size].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
              if (members > 1 && !hue.has(label)) hue.set(label, hue.size);
            }
          }
          const down = rec.intervals.filter((interval) => interval.lane === "crashes");
          const revoked = rec.intervals.filter((interval) => interval.lane === "revocations");
          const radius = count <= 40 ? 7 : count <= 120 ? 5 : count <= 400 ? 3.5 : count <= 1500 ? 2.2 : 1.3;
          const kindColour = (kind) => series([7, 11, 6, 9][kind % 4]);
          const flash = duration / 160;       // how long a hop stays visible
          const hops = rec.paths.flatMap((path, index) => path.hops.map((hop) => ({ ...hop, index, class: path.class })))
            .sort((a, b) => a.time - b.time);
          const places = new Float32Array(2 * count);   // on the canvas, now
          let width = 0, height = 0, context = null, labels = null;

          function locate() {
            const index = Math.max(0, lastBefore(frames, state.time)), a = frames[index], b = frames[index + 1];
            const part = b ? (state.time - a.time) / (b.time - a.time) : 0;
            const pad = radius + (count <= 40 ? 22 : 12);
            const scale = Math.min((width - 2 * pad) / Math.max(1e-6, box[2] - box[0]),
              (height - 2 * pad) / Math.max(1e-6, box[3] - box[1]));
            const dx = width / 2 - scale * (box[0] + box[2]) / 2, dy = height / 2 - scale * (box[1] + box[3]) / 2;
            for (let i = 0; i < 2 * count; i += 1) {
              const place = a.places[i] + (b ? part * (b.places[i] - a.places[i]) : 0);
              places[i] = place * scale + (i % 2 ? dy : dx);
            }
          }
          function colourOf(host) {
            if (state.colour === "group") return series(groupOf[host]);
            const label = labels ? labels[host] : host;
            return hue.has(label) && size.get(label) > 1 ? series(hue.get(label)) : palette.faint;
          }
          const size = new Map();
          function line(a, b) {
            context.moveTo(places[2 * a], places[2 * a + 1]);
            context.lineTo(places[2 * b], places[2 * b + 1]);
          }
          function drawContacts() {
            const open = rec.linkKinds.map(() => []);
            let shown = 0;
            for (const contact of rec.contacts) {
              if (contact.from > state.time) break;
              if (contact.to > state.time || contact.to === duration) { open[contact.kind].push(contact); shown += 1; }
            }
            context.globalAlpha = Math.min(0.6, 0.14 + 60 / (shown + 1));
            context.lineWidth = 1;
            open.forEach((contacts, kind) => {
              context.strokeStyle = rec.linkKinds.length > 1 ? kindColour(kind) : palette.soft;
              context.beginPath();
              for (const contact of contacts) line(contact.a, contact.b);
              context.stroke();
            });
            context.globalAlpha = 1;
            return shown;
          }
          function drawHops() {
            const recent = [];
            for (let i = lastBefore(hops, state.time); i >= 0 && hops[i].time > state.time - flash; i -= 1) recent.push(hops[i]);
            for (const hop of recent.slice(0, 400)) {
              context.globalAlpha = 1 - (state.time - hop.time) / flash;
              context.strokeStyle = classColour(hop.class);
              context.lineWidth = 2;
              context.beginPath(); line(hop.from, hop.to); context.stroke();
            }
            context.globalAlpha = 1;
            // The chosen message's way so far.
            if (!pathChosen) return;
            const path = rec.paths[state.path];
            context.strokeStyle = palette.ink; context.lineWidth = 2;
            for (const hop of wayTo(path)) {
              if (hop.time > state.time) break;
              context.beginPath(); line(hop.from, hop.to); context.stroke();
            }
          }
          function drawHosts() {
            const asleep = new Set(down.filter((i) => i.from <= state.time && state.time < i.to).flatMap((i) => i.hosts));
            const gone = new Set(revoked.filter((i) => i.from <= state.time).flatMap((i) => i.hosts));
            if (radius < 2) {
              for (let host = 0; host < count; host += 1) {
                context.fillStyle = colourOf(host);
                context.fillRect(places[2 * host] - radius, places[2 * host + 1] - radius, 2 * radius, 2 * radius);
              }
            }
            const bin = Math.min(Math.floor(state.time / rec.bin), (rec.heat[0]?.fill.length ?? 1) - 1);
            for (let host = 0; host < count && radius >= 2; host += 1) {
              const x = places[2 * host], y = places[2 * host + 1];
              context.beginPath(); context.arc(x, y, radius, 0, 2 * Math.PI);
              context.fillStyle = asleep.has(host) ? palette.panel : colourOf(host);
              context.fill();
              context.lineWidth = 1.5;
              context.strokeStyle = asleep.has(host) ? palette.failed : gone.has(host) ? palette.failed : palette.panel;
              context.stroke();
              if (gone.has(host)) {
                context.beginPath(); context.moveTo(x - radius, y + radius); context.lineTo(x + radius, y - radius);
                context.stroke();
              }
              if (perHost && radius > 3) {
                const fill = rec.heat[host].fill[bin] / 1000;
                context.lineWidth = 2;
                context.strokeStyle = palette.line;
                context.beginPath(); context.arc(x, y, radius + 3, 0, 2 * Math.PI); context.stroke();
                if (fill > 0) {
                  context.strokeStyle = fill > 0.9 ? palette.failed : palette.ink;
                  context.beginPath();
                  context.arc(x, y, radius + 3, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * fill); context.stroke();
                }
              }
            }
          }
          // A name is left out where it would cover another.
          let named = [];
          function name(host, strong) {
            const x = places[2 * host], y = places[2 * host + 1] + radius + (perHost ? 6 : 3);
            context.font = (strong ? "600 12.5px " : "11px ") + getComputedStyle(document.body).fontFamily;
            const long = context.measureText(hosts[host].name).width;
            const left = Math.min(width - long - 4, Math.max(4, x - long / 2));
            if (!strong && named.some((n) => left < n.right && n.left < left + long && Math.abs(y - n.y) < 12)) return;
            named.push({ left, right: left + long, y });
            context.textAlign = "left"; context.textBaseline = "top";
            context.lineWidth = 3; context.strokeStyle = palette.panel; context.lineJoin = "round";
            context.strokeText(hosts[host].name, left, y);
            context.fillStyle = strong ? palette.ink : palette.soft;
            context.fillText(hosts[host].name, left, y);
          }
          function tick() {
            locate();
            labels = rec.components[Math.max(0, lastBefore(rec.components, state.time))]?.labels ?? null;
            size.clear();
            for (const label of labels ?? []) size.set(label, 1 + (size.get(label) ?? 0));
            context.clearRect(0, 0, width, height);
            const shown = drawContacts();
            drawHops();
            drawHosts();
            named = [];
            if (count <= 40 && width > 500) for (let host = 0; host < count; host += 1) name(host, false);
            if (state.host >= 0) {
              context.beginPath();
              context.arc(places[2 * state.host], places[2 * state.host + 1], radius + 7, 0, 2 * Math.PI);
              context.strokeStyle = palette.accent; context.lineWidth = 2.5; context.stroke();
              name(state.host, true);
            }
            const parts = [...size.values()].filter((members) => members > 1).sort((a, b) => b - a);
            const alone = count - parts.reduce((sum, members) => sum + members, 0);
            const list = parts.slice(0, 6).map(grouped).join(" + ") + (parts.length > 6 ? " + …" : "");
            note.textContent = [plural(shown, "contact", "contacts")
              + (rec.contactStride > 1 ? ` (every ${rec.contactStride}th shown)` : ""),
              parts.length ? `${plural(parts.length, "component", "components")} of ${list} hosts` : "nobody reaches anybody",
              parts.length && alone ? `${grouped(alone)} alone` : ""].filter(Boolean).join(", ");
          }
          function draw() {
            const ratio = Math.min(2, devicePixelRatio || 1);
            width = holder.clientWidth; height = Math.round(Math.min(560, width * (width < 600 ? 0.95 : 0.5)));
            canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = height + "px";
            context = canvas.getContext("2d");
            context.setTransform(ratio, 0, 0, ratio, 0, 0);
            const items = state.colour === "group" ? groups.slice(0, 12).map((group, i) => [series(i), group, "round"])
              : [[series(0), "one colour a component", "round"], [palette.faint, "alone", "round"]];
            if (rec.linkKinds.length > 1) rec.linkKinds.forEach((kind, i) => items.push([kindColour(i), kind, "stroke"]));
            classes.forEach((name) => items.push([classColour(name), `${name} on its way`, "stroke"]));
            if (perHost && radius > 3) items.push([palette.ink, "ring: buffer in use", "round"]);
            if (pathChosen) items.push([palette.ink, "the chosen message", "stroke"]);
            if (rec.pathStride > 1) items.push(["transparent", `every ${rec.pathStride}th message`, "stroke"]);
            legend(byId("topology-legend"), items);
            tick();
          }
          function nearest(px, py, reach = 18) {
            let best = -1, least = reach * reach;
            for (let host = 0; host < count; host += 1) {
              const dx = places[2 * host] - px, dy = places[2 * host + 1] - py, square = dx * dx + dy * dy;
              if (square < least) { least = square; best = host; }
            }
            return best;
          }
          tooltip(holder, (px, py) => {
            const host = nearest(px, py);
            if (host < 0) return "";
            const bin = Math.min(Math.floor(state.time / rec.bin), (rec.heat[0]?.fill.length ?? 1) - 1);
            const members = labels ? size.get(labels[host]) : 1;
            return hosts[host].name + (hosts[host].group === hosts[host].name ? "" : ` · ${hosts[host].group}`)
              + (members > 1 ? `\nreaches ${plural(members - 1, "other", "others")}` : "\nalone")
              + (perHost ? `\nbuffer ${percent(rec.heat[host].fill[bin] / 1000)}` : "");
          });
          canvas.addEventListener("click", (event) => {
            const area = canvas.getBoundingClientRect();
            setHost(nearest(event.clientX - area.left, event.clientY - area.top));
          });
          byId("colour").addEventListener("change", (event) => { state.colour = event.target.value; draw(); });
          if (!moving && !rec.positions.length) byId("places").textContent = "Hosts have no places in this scenario: they "
            + "stand by group, those drawn together that meet for long.";
          views.push({ draw, tick });
        }
        """#
}
