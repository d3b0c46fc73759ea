// How the report looks.

export const style = `
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1d2430; background: #fff; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #d5dae1; padding-bottom: .2rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
.label { display: inline-block; margin: 0 0 .6rem; padding: .3rem .7rem; border-radius: .3rem; font-weight: 600; }
.functional { background: #fdeccb; color: #6d4300; }
.real { background: #d9f0dd; color: #14522a; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(560px, 1fr)); gap: .6rem 1rem; }
figure { margin: 0 0 .8rem; overflow-x: auto; }
figcaption { font-weight: 600; margin-bottom: .2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #e4e8ed; vertical-align: top; }
th { background: #f4f6f8; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
`;
