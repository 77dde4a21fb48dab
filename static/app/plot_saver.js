// Buttons that save a plot as rendered by Plotly, without displaying it. Requires map/base.js.
const CSS = `
.plots { display: flex; flex-direction: column; gap: 1rem }
button { width: 100%; min-height: 2.5rem; padding: 4px 12px; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); background: none;
  color: var(--st-text-color); font: 14px var(--st-font); cursor: pointer }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); outline: none }`

export default function ({ data, parentElement }) {
  if (!parentElement.aeviz) MapBase.make("style", "", parentElement).textContent = CSS
  const root = (parentElement.aeviz ??= MapBase.make("div", "plots", parentElement))
  const save = async (format) => {
    const plotly = await MapBase.loadPlotly(data.plotly)
    const { width, height } = data
    const href = await plotly.toImage(JSON.parse(data.figure), { format, width, height, scale: format === "svg" ? 1 : 2 })
    // A detached link: Plotly's own is clicked on the page, outside what is open, and closes it.
    Object.assign(document.createElement("a"), { href, download: `${data.name}.${format}` }).click()
  }
  root.replaceChildren(...Object.entries(data.said).map(([format, text]) => (
    Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: () => save(format) })
  )))
}
