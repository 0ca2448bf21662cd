// Draws the pages' diagrams, in the colours of the chosen theme. The library is loaded only where a page has one.
const root = document.documentElement;
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const diagrams = [...document.querySelectorAll('pre > code.mermaid')].map(code => {
  const figure = document.createElement('figure');
  figure.className = 'diagram';
  code.parentElement.replaceWith(figure);
  return { figure, text: code.textContent };
});
if (diagrams.length > 0) {
  const script = document.createElement('script');
  script.src = `${root.dataset.base}assets/mermaid.js`;
  script.addEventListener('load', () => {
    void draw();
    darkSystem.addEventListener('change', () => void draw());
    new MutationObserver(() => void draw()).observe(root, { attributeFilter: ['data-theme'] });
  });
  document.head.append(script);
}

async function draw() {
  const { theme } = root.dataset;
  const isDark = theme === 'dark' || (theme !== 'light' && darkSystem.matches);
  globalThis.mermaid.initialize({ startOnLoad: false, theme: isDark ? 'dark' : 'neutral' });
  for (const [index, { figure, text }] of diagrams.entries())
    figure.innerHTML = (await globalThis.mermaid.render(`diagram-${index}`, text)).svg;
}
