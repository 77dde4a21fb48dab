// Clocks and counters inside the page, so that no messages between browser and benchmark are counted; put there before it loads.
window.bench = (() => {
  const bytes = { sent: 0, received: 0 }, drawings = new Set()
  let closed = false
  performance.setResourceTimingBufferSize(100000)

  const PlainSocket = window.WebSocket
  window.WebSocket = class extends PlainSocket {
    constructor(...asked) {
      super(...asked)
      this.addEventListener("message", ({ data }) => { bytes.received += data.byteLength ?? data.size ?? data.length })
      this.addEventListener("close", () => { closed = true })
    }
    send(data) { bytes.sent += data.byteLength ?? data.size ?? data.length; super.send(data) }
  }
  const { getContext } = HTMLCanvasElement.prototype
  HTMLCanvasElement.prototype.getContext = function (kind, ...asked) {
    if (kind.includes("webgl")) drawings.add(this)
    return getContext.call(this, kind, ...asked)
  }

  // Bytes so far: sent and received by websocket, before any packing, and as answers; scripts, styles and fonts apart.
  const traffic = () => {
    const found = { ...bytes, scripts: 0 }
    for (const { initiatorType, transferSize } of performance.getEntriesByType("resource"))
      found[["fetch", "xmlhttprequest", "img"].includes(initiatorType) ? "received" : "scripts"] += transferSize
    return found
  }

  // Milliseconds from `since` to the end of the first frame that shows it; null where it never comes.
  const until = (shown, since = performance.now(), most = 60000) => new Promise((done) => {
    const look = () => {
      if (shown()) return requestAnimationFrame(() => done(performance.now() - since))
      if (closed || performance.now() - since > most) return done(null)
      requestAnimationFrame(look)
    }
    look()
  })

  // The same, from the next event of a kind.
  const after = (kind, shown) => { window.awaited = new Promise((done) => addEventListener(kind, (event) => done(until(shown, event.timeStamp)), { capture: true, once: true })) }

  const charts = () => new Set([...drawings].filter((canvas) => canvas.isConnected).map((canvas) => canvas.closest(".js-plotly-plot") ?? canvas)).size

  const map = () => document.querySelector(".st-key-map .aeviz-map")
  const view = () => map().parentElement.aeviz
  const drawn = () => Boolean(map()?.dataset.drawn && (view().data.show !== "density" || map().dataset.density))
  const nativeDrawn = () => document.querySelector(".js-plotly-plot")?._fullLayout?._plots?.xy?._scene?.dirty === false
  const said = () => [...document.querySelectorAll("strong")].map((node) => node.textContent).find((text) => / selected$/.test(text)) ?? "0 selected"
  const selected = () => { const before = said(); return () => said() !== before }

  const move = (x, y) => {
    const { plot } = view(), box = plot.getBoundingClientRect()
    plot.querySelector(".nsewdrag").dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + x, clientY: box.top + y, bubbles: true }))
  }

  // Milliseconds to the card of each of so many dots whose pictures are here already.
  const hover = async (count) => {
    const { dots, pictures, cards } = view(), space = view().space(), found = []
    const at = (place) => [space.toX(dots.x[place]), space.toY(dots.y[place])]
    const [tile] = [Math.floor(dots.ids[0] / pictures.about.per)]
    await pictures.tile(dots.ids[0])
    for (let place = 0; place < dots.count && found.length < count; place++) {
      const id = dots.ids[place]
      if (Math.floor(id / pictures.about.per) !== tile || view().rowAt(...at(place)) !== id) continue
      cards.hide()
      const since = performance.now()
      move(...at(place))
      found.push(await until(() => !cards.hover.hidden && cards.words.innerText.includes(`#${id} · MSE`), since))
    }
    return found
  }

  // Frames a second while the pointer goes from one empty place to the next: those drawn at all, and those with a picture of another place.
  const drag = async (seconds) => {
    const space = view().space(), { cards } = view(), empty = []
    for (let y = space.top + 8; y < space.top + space.height; y += 16)
      for (let x = space.left + 8; x < space.left + space.width; x += 16) if (view().rowAt(x, y) < 0) empty.push([x, y])
    const { decoded } = cards
    let pictures = 0, frames = 0, begun = null
    cards.decoded = function (...asked) { pictures++; decoded.apply(this, asked) }
    const ended = await new Promise((done) => {
      const step = (now) => {
        begun ??= now
        if (now - begun >= 1000 * seconds) return done(now)
        move(...empty[frames++ % empty.length])
        requestAnimationFrame(step)
      }
      requestAnimationFrame(step)
    })
    delete cards.decoded
    return { frames: (1000 * frames) / (ended - begun), pictures: (1000 * pictures) / (ended - begun), empty: empty.length }
  }

  const starred = () => view().stars.length > 0 && view().stars.every((star) => star.image.complete)

  return { traffic, until, after, charts, drawn, nativeDrawn, selected, hover, drag, starred, view }
})()
