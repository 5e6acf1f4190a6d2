// SPDX-License-Identifier: Apache-2.0
//
// The style sheet of the page. html.cpp adds the colours of the shading (--paper, --ink, --heat) from shade.h.
#pragma once

namespace attn::classifier {

constexpr const char* kPageStyle = R"css(
*{box-sizing:border-box}
body{margin:0;background:var(--desk);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main{max-width:82rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
h1{margin:0;font-size:1.9rem;line-height:1.2;letter-spacing:-.02em}
h2{margin:0;font-size:1.15rem;line-height:1.3}
h3{margin:0;font-size:.85rem;font-weight:600;color:var(--quiet);overflow-wrap:anywhere}
.model{margin:.4rem 0 0;color:var(--quiet);overflow-wrap:anywhere}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:1.2rem 0 1.6rem;padding:0;list-style:none;font-size:.875rem;color:var(--quiet)}
.scale{display:inline-block;width:9rem;height:.8rem;margin:0 .5rem;border-radius:.2rem;vertical-align:-.05rem;
 background:linear-gradient(90deg,rgb(var(--heat)/0),rgb(var(--heat)));box-shadow:inset 0 0 0 1px var(--line)}
main{display:grid;grid-template-columns:minmax(0,1fr) 30rem;gap:1.5rem;align-items:start;padding-bottom:3rem}
main>:only-child{grid-column:1/-1;max-width:56rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem 1.5rem}
.reviews{display:grid;gap:1.25rem}
.verdict{display:flex;flex-wrap:wrap;align-items:center;gap:.3rem .75rem;margin:.35rem 0 .9rem}
.verdict b{font-size:1.15rem}
.bar{display:inline-block;width:7rem;height:.5rem;border-radius:.25rem;background:var(--line);overflow:hidden}
.bar i{display:block;height:100%;border-radius:inherit;background:var(--label)}
.tag{padding:.1rem .6rem;border-radius:1rem;font-size:.8rem;font-weight:600;white-space:nowrap}
.right{color:var(--right);background:var(--right-paper)}
.wrong{color:var(--wrong);background:var(--wrong-paper)}
.text{margin:0;font:1.09rem/1.85 Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,serif;overflow-wrap:anywhere}
.cut{color:var(--quiet);font-style:italic;font-size:.95rem}
.text span{padding:.12em .11em;margin:0 -.11em;border-radius:.22em;background:rgb(var(--heat)/var(--s,0))}
.text span:hover{outline:2px solid var(--label)}
.unknown{text-decoration:underline dotted var(--quiet) 2px;text-underline-offset:.28em}
.note{margin:.9rem 0 0;font-size:.8rem;color:var(--quiet)}
.top{position:sticky;top:1.5rem;max-height:calc(100vh - 3rem);overflow:auto}
table{width:100%;margin-top:.8rem;border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th{padding:.3rem .4rem;text-align:left;vertical-align:bottom;font-size:.75rem;font-weight:600;line-height:1.25;color:var(--quiet);border-bottom:1px solid var(--line)}
td{padding:.26rem .4rem;white-space:nowrap}
tbody tr:hover{background:var(--desk)}
.number{text-align:right}
td .bar{width:3.2rem;vertical-align:.05rem}
.figure{display:inline-block;width:3.15rem;text-align:right}
.clip{display:block;max-width:6.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
td .heat i{background:rgb(var(--heat))}
th[scope=row]{padding:.26rem .4rem;font-size:inherit;font-weight:500;color:inherit;border:0}
@media(max-width:72rem){main{grid-template-columns:minmax(0,1fr)}.top{position:static;max-height:none}}
@media(min-width:40rem) and (max-width:72rem){td .bar{width:7rem}.clip{max-width:14rem}}
@media(max-width:40rem){header,main{padding-left:.8rem;padding-right:.8rem}.card{padding:1rem}}
@media print{body{background:none}.card{break-inside:avoid}main{display:block}.top{max-height:none}.card{margin-bottom:1rem}
 .text span,.bar,.bar i,.scale{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

constexpr const char* kLightColours =
    "color-scheme:light;--desk:#f6f5f2;--line:#e3e0da;--quiet:#66615b;--label:#1d5fa8;"
    "--right:#14613a;--right-paper:#dff3e6;--wrong:#9b1c2e;--wrong-paper:#fde4e6;";
constexpr const char* kDarkColours =
    "color-scheme:dark;--desk:#131315;--line:#38383d;--quiet:#a9a5a0;--label:#74aef2;"
    "--right:#86dfa9;--right-paper:#143524;--wrong:#ffa3ad;--wrong-paper:#47161d;";

}  // namespace attn::classifier
