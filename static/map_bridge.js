// Carries what is done on a Plotly map to the server: what is picked, as one bit per row (17 kB for a lasso over
// 100,000 dots), and where one has zoomed or turned to, since Streamlit draws a changed figure as a new one.
export default function ({ data, setTriggerValue, setStateValue }) {
  const rows = (points) => points.filter((point) => point.customdata !== undefined).map((point) => Number(point.customdata))

  const pack = (ids) => {
    const bytes = new Uint8Array(Math.ceil(data.size / 8))
    for (const id of ids) bytes[id >> 3] |= 1 << (id & 7)
    let text = ""
    for (let start = 0; start < bytes.length; start += 8192)
      text += String.fromCharCode(...bytes.subarray(start, start + 8192))
    return btoa(text)
  }

  const tell = {
    picked: (ids) => setTriggerValue("picked", ids.length ? pack(ids) : "none"),
    view: (view) => setStateValue("view", JSON.stringify({ space: data.space, ...view })),
  }

  const listen = (node) => {
    let pressed = [0, 0]
    let down = false
    let moved = false
    let clicked = null // scenes tell of a click when the button goes down, before it is known to be no drag
    let waiting = null
    const settleClick = () => {
      if (clicked && !moved) node.aevizTell.picked(clicked)
      clicked = null
    }
    node.addEventListener("pointerdown", (event) => {
      pressed = [event.clientX, event.clientY]
      down = true
      moved = false
      clicked = null
    }, true)
    window.addEventListener("pointerup", (event) => {
      moved = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4
      down = false
      settleClick()
    }, true)
    node.on("plotly_selected", (event) => { if (event) node.aevizTell.picked(rows(event.points)) })
    node.on("plotly_deselect", () => node.aevizTell.picked([]))
    node.on("plotly_click", (event) => {
      clicked = rows(event.points.slice(0, 1))
      if (!down) settleClick()
    })
    node.on("plotly_relayout", () => {
      clearTimeout(waiting)
      waiting = setTimeout(() => node.aevizTell.view(viewOf(node._fullLayout)), 250)
    })
  }

  const viewOf = ({ xaxis, yaxis, scene }) => {
    if (scene?.camera) return { camera: scene.camera }
    return xaxis?.range && !xaxis.autorange ? { x: xaxis.range, y: yaxis.range } : {}
  }

  const attach = () => {
    const node = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`)
    if (!node || !node.on) return
    const heard = node.aevizTell !== undefined
    node.aevizTell = tell // a rerun replaces what the listeners call, never the listeners
    if (!heard) listen(node)
  }

  attach()
  const timer = setInterval(attach, 300) // the chart may come later than this, or anew
  return () => clearInterval(timer)
}
