//! The report page's style: one sheet, no external assets, light and dark, readable on a phone and on paper.

/// The style sheet.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--bg:#fbfbf9;--card:#fff;--text:#1d2125;--soft:#5b646e;--line:#dfe2e0;--code:#f1f2ef;\
--good:#17693a;--good-bg:#e4f3e9;--bad:#a3211b;--bad-bg:#fbe7e5;--open:#7a5200;--open-bg:#fbf0d6;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1b1f23;--text:#e6e8ea;--soft:#a2abb4;--line:#31373d;\
--code:#23282d;--good:#7ed6a0;--good-bg:#173525;--bad:#ff9d94;--bad-bg:#411d1b;--open:#f0c56b;--open-bg:#3a2d10;\
--link:#85bdf7}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main,header.page,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header.page{padding-top:2rem}
h1{font-size:1.05rem;font-weight:600;color:var(--soft);margin:0 0 .75rem}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:1.5rem 0 .25rem;overflow-wrap:anywhere}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--link)}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
code{background:var(--code);padding:.1em .35em;border-radius:4px;overflow-wrap:anywhere}
pre{background:var(--code);padding:.75rem 1rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}
.verdict{border:1px solid var(--line);border-left:8px solid;border-radius:8px;background:var(--card);padding:1.1rem 1.4rem}
.verdict strong{display:block;font-size:2.4rem;line-height:1.1;letter-spacing:.02em}
.verdict p{margin:.4rem 0 0}
.verdict.good{border-left-color:var(--good)}.verdict.good strong{color:var(--good)}
.verdict.bad{border-left-color:var(--bad)}.verdict.bad strong{color:var(--bad)}
.verdict.open{border-left-color:var(--open)}.verdict.open strong{color:var(--open)}
.verdict .rows{font-size:1.25rem;font-weight:600}
.verdict ul{margin:.6rem 0 0;padding-left:1.2rem}
nav{margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.25rem;margin:1rem 0;background:var(--card);\
border:1px solid var(--line);border-radius:8px;padding:.9rem 1.25rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--card);margin:.75rem 0}
.scroll:focus-visible,a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
.note{color:var(--soft);font-size:.9375rem}
th,td{text-align:left;padding:.45rem .8rem;border-top:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:600;font-size:.8125rem;white-space:nowrap;border-top:0}
tbody th{font-weight:600;white-space:nowrap}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.hash{font-size:.8125rem;color:var(--soft);overflow-wrap:anywhere;min-width:12rem}
.title{color:var(--soft);font-weight:400;display:block;white-space:normal;min-width:16rem;font-size:.875rem}
.tag{display:inline-block;border-radius:99px;padding:.05em .65em;font-size:.8125rem;font-weight:600;white-space:nowrap}
.tag.good{color:var(--good);background:var(--good-bg)}
.tag.bad{color:var(--bad);background:var(--bad-bg)}
.tag.open{color:var(--open);background:var(--open-bg)}
.finding{border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:8px;background:var(--card);\
overflow-wrap:anywhere;\
padding:.75rem 1.1rem;margin:.75rem 0}
.finding h4{margin:0;font-size:.9375rem;overflow-wrap:anywhere}
.finding ol{margin:.5rem 0 0;padding:0;list-style:none}
.finding li{padding:.3rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
.cause{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.5rem 1.1rem;margin:.75rem 0}
.cause dl{border:0;padding:0;background:none}
.cause summary{color:var(--text)}
.one{margin-left:1.25rem}
summary{cursor:pointer;padding:.4rem 0;color:var(--link)}
footer{color:var(--soft);font-size:.875rem;padding-top:2.5rem;padding-bottom:3rem}
@media (max-width:40rem){body{font-size:15px}dl{grid-template-columns:1fr;gap:0 0}dd{margin-bottom:.5rem}\
.verdict strong{font-size:2rem}th,td{padding:.4rem .6rem}}
@media print{.scroll{overflow:visible}nav{display:none}}
";
