/// The page's style sheet. Colours are variables, so that the script draws with the same ones; dark follows the reader's
/// system unless the page's own switch says otherwise.
enum PageStyle {
    static let text = #"""
        :root {
          color-scheme: light;
          --page: #fbfbf9; --panel: #ffffff; --ink: #1c1e21; --soft: #5f656b; --faint: #8b9197; --line: #e2e2dd;
          --track: #eeeeea; --accent: #2563c9; --wash: #edf2fb;
          --passed: #24744a; --failed: #b9302a; --miss: #8f5f00; --surprise: #0d7480; --open: #666c72;
          --c0: #2f6bcc; --c1: #d5691a; --c2: #2b8a57; --c3: #8457bd; --c4: #c2457a; --c5: #0f8b9b; --c6: #a37b00;
          --c7: #5a6b7d; --c8: #b5473c; --c9: #6f8f22; --c10: #4c5fc4; --c11: #9a6a4f;
          --heat0: #f0f0ec; --heat1: #bcd3ef; --heat2: #5d92d6; --heat3: #1f4f9c; --heat4: #8a1f3d;
        }
        @media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) {
          color-scheme: dark;
          --page: #141619; --panel: #1a1d21; --ink: #e7e6e2; --soft: #a4a9af; --faint: #7b8188; --line: #2d3136;
          --track: #24282d; --accent: #7aa9f7; --wash: #1e2836;
          --passed: #6cc594; --failed: #f28379; --miss: #dfae4d; --surprise: #5bc6d2; --open: #a4a9af;
          --c0: #6c9ff0; --c1: #ee9450; --c2: #5cbc87; --c3: #b191e4; --c4: #e67fa8; --c5: #4bbccb; --c6: #d2ab3c;
          --c7: #93a5b8; --c8: #e38177; --c9: #a5c45c; --c10: #8d9cf0; --c11: #c99b80;
          --heat0: #22262b; --heat1: #27425f; --heat2: #3f76b8; --heat3: #8fbcf5; --heat4: #e7819b;
        } }
        :root[data-theme="dark"] {
          color-scheme: dark;
          --page: #141619; --panel: #1a1d21; --ink: #e7e6e2; --soft: #a4a9af; --faint: #7b8188; --line: #2d3136;
          --track: #24282d; --accent: #7aa9f7; --wash: #1e2836;
          --passed: #6cc594; --failed: #f28379; --miss: #dfae4d; --surprise: #5bc6d2; --open: #a4a9af;
          --c0: #6c9ff0; --c1: #ee9450; --c2: #5cbc87; --c3: #b191e4; --c4: #e67fa8; --c5: #4bbccb; --c6: #d2ab3c;
          --c7: #93a5b8; --c8: #e38177; --c9: #a5c45c; --c10: #8d9cf0; --c11: #c99b80;
          --heat0: #22262b; --heat1: #27425f; --heat2: #3f76b8; --heat3: #8fbcf5; --heat4: #e7819b;
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; scroll-padding-top: 5.5rem; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto,
          "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
        main, header.top, footer { max-width: 1160px; margin: 0 auto; padding: 0 28px; }
        h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0; font-weight: 650;
          overflow-wrap: anywhere; }
        h2 { font-size: 1.12rem; margin: 0 0 .2rem; font-weight: 650; letter-spacing: -0.005em; }
        h3 { font-size: .87rem; margin: 0; font-weight: 600; }
        p { margin: .2rem 0; }
        a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
        code { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        section { margin: 2.6rem 0 0; }
        .lede { color: var(--soft); margin: 0 0 .9rem; max-width: 96ch; }
        .note { color: var(--soft); font-size: .84rem; margin: .35rem 0 0; }

        header.top { padding-top: 34px; }
        .title { display: flex; gap: 14px; align-items: center; flex-wrap: wrap; }
        .title button { margin-left: auto; font-size: 1.1rem; line-height: 1; padding: .2rem .5rem; min-width: 38px; color: var(--soft); }
        .facts { color: var(--soft); margin: .5rem 0 0; }
        .facts span + span::before { content: "·"; margin: 0 .5em; color: var(--faint); }
        .verdict { display: inline-flex; align-items: center; gap: .4em; font-weight: 600; white-space: nowrap; }
        .verdict::before { content: attr(data-mark); }
        .passed { color: var(--passed); } .failed { color: var(--failed); } .expected-miss { color: var(--miss); }
        .surprising-pass { color: var(--surprise); } .not-judged { color: var(--open); }
        .pill { border: 1.5px solid; border-radius: 99px; padding: .05rem .7rem; font-size: .86rem; }

        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); margin: 1.4rem 0 0;
          border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
        .tile { padding: .85rem 1rem .85rem 0; }
        .tile dt { color: var(--soft); font-size: .82rem; }
        .tile dd { margin: .05rem 0 0; font-size: 1.45rem; font-weight: 600; letter-spacing: -0.015em; line-height: 1.25; }
        .tile dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }

        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .89rem; }
        th { text-align: left; font-weight: 500; color: var(--soft); font-size: .8rem; white-space: nowrap; }
        th, td { padding: .42rem 1.1rem .42rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th:last-child, td:last-child { padding-right: 0; }
        td.n, th.n { text-align: right; white-space: nowrap; }
        tbody tr:last-child td { border-bottom-color: transparent; }
        td.name { overflow-wrap: anywhere; }
        .because { color: var(--soft); }
        .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 1.9rem 3rem; }
        .columns .wide { grid-column: 1 / -1; }
        .columns h3 { margin-bottom: .25rem; }
        .columns td { font-size: .86rem; }

        button, select, input[type=search] { font: inherit; font-size: .87rem; color: var(--ink); background: var(--panel);
          border: 1px solid var(--line); border-radius: 6px; padding: .28rem .6rem; min-height: 34px; max-width: 100%; }
        button { cursor: pointer; } button:hover, select:hover { border-color: var(--faint); }
        label { font-size: .84rem; color: var(--soft); display: inline-flex; align-items: center; gap: .45em; }
        input[type=checkbox] { accent-color: var(--accent); width: 16px; height: 16px; margin: 0; }
        .row { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: center; margin: .5rem 0; }
        .row .grow { flex: 1 1 220px; min-width: 0; } .row .grow select { width: 100%; }

        .player { position: sticky; top: 0; z-index: 2; background: var(--page); padding: .55rem 0 .45rem;
          border-bottom: 1px solid var(--line); display: grid; grid-template-columns: auto auto 1fr auto;
          gap: .3rem .8rem; align-items: center; }
        .player output { font-size: 1.08rem; font-weight: 600; min-width: 7.4em; white-space: nowrap; }
        .player button { min-width: 74px; }
        .player input[type=range] { width: 100%; min-width: 0; margin: 0; accent-color: var(--accent); height: 26px; }

        figure { margin: 1.5rem 0 0; }
        figcaption { display: flex; flex-wrap: wrap; gap: .1rem .9rem; align-items: baseline; margin-bottom: .35rem; }
        figcaption .note { margin: 0; }
        .plot { position: relative; width: 100%; touch-action: pan-y; }
        .plot svg, .plot canvas { display: block; width: 100%; }
        .plot svg { overflow: visible; }
        .stage { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
        .stage canvas { cursor: crosshair; }
        svg text { font-size: 11.5px; fill: var(--soft); }
        svg .axis { stroke: var(--line); } svg .cursor { stroke: var(--ink); stroke-width: 1; pointer-events: none; }
        svg .inside { fill: var(--panel); font-size: 11px; pointer-events: none; }
        .legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; font-size: .82rem; color: var(--soft); margin: .4rem 0 0;
          padding: 0; list-style: none; }
        .legend li { display: inline-flex; align-items: center; gap: .4em; }
        .legend i { width: 10px; height: 10px; border-radius: 2px; background: currentColor; flex: none; }
        .legend i.round { border-radius: 50%; } .legend i.stroke { height: 0; border-radius: 0; background: none; width: 16px;
          border-top: 2px solid currentColor; } .legend i.dashed { border-top-style: dashed; }
        .ramp { width: 96px; height: 9px; border-radius: 2px; background: linear-gradient(90deg, var(--heat0), var(--heat1),
          var(--heat2), var(--heat3), var(--heat4)); }
        .tip { position: absolute; z-index: 3; pointer-events: none; background: var(--ink); color: var(--page);
          font-size: .8rem; line-height: 1.4; padding: .28rem .55rem; border-radius: 5px; white-space: pre; }
        .steps { font-size: .87rem; margin: .4rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap;
          gap: .1rem .5rem; color: var(--soft); }
        .steps b { font-weight: 600; color: var(--ink); } .steps li + li::before { content: "→ "; color: var(--faint); }
        footer { margin-top: 3rem; padding-top: 1rem; padding-bottom: 3rem; color: var(--soft); font-size: .84rem; }
        footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
        footer dd { margin: 0; overflow-wrap: anywhere; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

        @media (max-width: 680px) {
          main, header.top, footer { padding-left: 16px; padding-right: 16px; }
          header.top { padding-top: 22px; }
          h1 { font-size: 1.4rem; }
          section { margin-top: 2.1rem; }
          .tiles { grid-template-columns: 1fr 1fr; } .tile { padding: .6rem .6rem .6rem 0; }
          .tile dd { font-size: 1.25rem; }
          .player { grid-template-columns: auto 1fr auto; }
          .player output { text-align: right; min-width: 0; }
          .player input[type=range] { grid-column: 1 / -1; grid-row: 2; }
          html { scroll-padding-top: 7rem; }
          table.cards thead { display: none; }
          table.cards, table.cards tbody, table.cards tr, table.cards td { display: block; }
          table.cards tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
          table.cards td { border: 0; padding: .06rem 0; text-align: left; }
          table.cards td[data-label]::before { content: attr(data-label) " "; color: var(--soft); }
          table.cards td:empty { display: none; }
        }
        @media print { .player, .title button, .row { display: none; } body { background: none; } }
        """#
}
