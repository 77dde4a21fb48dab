// Carries what is picked on a Plotly map to the server: one bit per row, 17 kB for a lasso over 100,000 dots.
export default function ({ data, setTriggerValue }) {
  const rows = (points) => points.filter((point) => point.customdata !== undefined).map((point) => Number(point.customdata))

  const pack = (ids) => {
    const bytes = new Uint8Array(Math.ceil(data.size / 8))
    for (const id of ids) bytes[id >> 3] |= 1 << (id & 7)
    let text = ""
    for (let start = 0; start < bytes.length; start += 8192)
      text += String.fromCharCode(...bytes.subarray(start, start + 8192))
    return btoa(text)
  }

  const tell = (ids) => setTriggerValue("picked", ids.length ? pack(ids) : "none")

  const attach = () => {
    const node = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`)
    if (!node || !node.on) return
    node.aevizTell = tell // a rerun replaces what the listeners call, never the listeners
    if (node.aevizHeard) return
    node.aevizHeard = true
    node.on("plotly_selected", (event) => { if (event) node.aevizTell(rows(event.points)) })
    node.on("plotly_deselect", () => node.aevizTell([]))
    node.on("plotly_click", (event) => node.aevizTell(rows(event.points.slice(0, 1))))
  }

  attach()
  const timer = setInterval(attach, 300) // the chart may come later than this, or anew
  return () => clearInterval(timer)
}
