// The map: one Plotly figure, kept while its colours, points and selection change, and all interaction with it.
const FADED = 0.12

class MapView extends MapPlaced.Placed {
  constructor(parent) {
    super()
    this.root = MapBase.make("div", "aeviz-map", parent)
    this.stars = []
    this.data = {}
    const overlay = (this.overlay = new MapOverlay.Overlay(this.root, this))
    this.plot = MapBase.make("div", "plot", this.root)
    this.root.append(overlay.canvas)
    this.tools = MapBase.make("div", "tools", this.root)
    this.wait = MapBase.make("div", "wait", this.root)
    this.release = MapPointer.attach(this)
    this.watcher = new ResizeObserver(() => { if (this.node?.offsetParent) { window.Plotly.Plots.resize(this.node); overlay.draw() } })
    this.watcher.observe(this.root)
    this.onStep = ({ detail }) => { this.step = detail.step; if (this.data.roads?.length) overlay.draw() }
    window.addEventListener("aeviz-step", this.onStep)
  }

  get node() { return this.plot.classList.contains("js-plotly-plot") ? this.plot : null }
  get flat() { return this.dots ? this.dots.flat : this.data.dims === 2 }
  get ink() { return getComputedStyle(this.root).color }
  get background() { return getComputedStyle(this.root).getPropertyValue("--st-background-color") || "#fff" }

  // Applies the state sent by a page rerun; only what has changed is updated.
  show(data, tell) {
    const before = this.data
    this.data = data
    this.tell = tell
    this.root.style.height = `${data.height}px`
    Object.assign(this.root.dataset, { drop: data.said.drop, show: data.show })
    this.root.classList.toggle("drawing", data.dims === 2 && data.tool !== "pan")
    if (!this.cards) this.cards = new MapCards.Cards(this.root, data.said)
    Object.assign(this.cards, { said: data.said, names: data.classes })
    this.makeTools()
    if (JSON.stringify(before.pictures) !== JSON.stringify(data.pictures)) this.pictures = data.pictures && new MapPictures.Pictures(data.pictures)
    if (JSON.stringify(before.decode) !== JSON.stringify(data.decode)) this.decoding = data.decode && new MapDecode.Decoding(data.decode)
    if (JSON.stringify(before.stars) !== JSON.stringify(data.stars)) this.placeImages(data.stars)
    if (JSON.stringify(before.means) !== JSON.stringify(data.means))
      this.means = data.means.map((mean) => ({ ...mean, images: mean.pictures.map((address) => this.image(address)) }))
    if (before.space !== data.space) this.enter(data)
    if (before.figure !== data.figure) this.fetchFigure()
    else if (this.figure && (before.space !== data.space || before.picked?.bits !== data.picked?.bits || before.tool !== data.tool)) this.draw()
    if (String(data.found.rows) !== String(before.found?.rows ?? [])) this.goTo()
    if (data.show === "density") this.fetchDensity()
    this.follow(data.live)
    this.overlay.draw()
  }

  // Switches to another map and restores its view and outline, or those from a link.
  enter(data) {
    const kept = VIEWS.get(data.space) ?? (data.view ? { ...data.view } : {})
    VIEWS.set(data.space, kept)
    this.outline = kept.outline ?? null
    this.enclosing = Boolean(this.outline && !data.picked?.bits)
    this.pinned = null
    this.cards.unpin()
  }

  async fetchFigure() {
    const { figure } = this.data
    if (!this.figure) this.wait.textContent = this.data.said.drawing
    try {
      const [packed] = await Promise.all([MapBase.packed(figure), MapBase.loadPlotly(this.data.plotly)])
      if (figure !== this.data.figure) return
      const first = !this.figure
      this.figure = { data: packed.data.map((trace) => ({ ...trace })), layout: packed.layout }
      this.dots = new MapPoints.Points(this.figure)
      if (this.frame) this.dots.move(this.frame)
      await this.draw()
      this.wait.textContent = ""
      if (this.enclosing) { this.enclosing = false; this.pick(this.outline) }
      if (this.data.found.rows.length && first) this.goTo()
    } catch (error) {
      if (figure !== this.data.figure) return
      if (!this.figure) this.wait.textContent = this.data.said.lost
      this.tell("missing", Date.now()) // the server may have evicted the bytes and creates them again
    }
  }

  // Draws the current figure and selection; Plotly keeps zoom, camera and hidden classes.
  async draw() {
    const { Plotly } = window, kept = VIEWS.get(this.data.space) ?? {}
    const picked = (this.bits = this.data.picked?.bits ? MapBase.bitsOf(this.data.picked.bits, this.data.size) : null)
    const layout = { ...this.figure.layout, dragmode: this.flat ? (this.data.tool === "pan" ? "pan" : false) : "orbit", autosize: true }
    if (this.data.height < MapOwnImages.SMALL) layout.showlegend = false
    if (kept.x && this.flat) Object.assign(layout, { xaxis: { ...layout.xaxis, range: kept.x }, yaxis: { ...layout.yaxis, range: kept.y } })
    if (!this.flat) layout.scene = { ...layout.scene, annotations: MapOverlay3D.arrows(this), ...(kept.camera && { camera: kept.camera }) }
    for (const trace of this.figure.data) {
      trace.hoverinfo = this.flat ? "skip" : "none"
      delete trace.hovertemplate
      if (this.flat && trace.customdata) this.fade(trace, picked)
      if (kept.hidden?.includes(trace.name)) trace.visible = "legendonly"
    }
    const data = this.flat ? this.figure.data : [...this.figure.data, ...MapOverlay3D.traces(this, picked)]
    const first = !this.node
    await Plotly.react(this.plot, data, layout, {
      scrollZoom: true, displayModeBar: false, responsive: false, doubleClick: "reset",
    })
    if (first) this.listen()
    this.overlay.draw()
    this.root.dataset.drawn = this.data.figure
  }

  fade(trace, picked) {
    trace.selectedpoints = null
    if (!picked) return
    const chosen = []
    trace.customdata.forEach((id, at) => { if (MapBase.has(picked, this.dots.rank[this.dots.placeOf(id)])) chosen.push(at) })
    trace.selectedpoints = chosen
    trace.unselected = { marker: { opacity: FADED } }
  }

  listen() {
    const remember = () => {
      const kept = VIEWS.get(this.data.space), { xaxis, yaxis, scene } = this.node._fullLayout
      if (!kept) return
      if (this.flat) Object.assign(kept, xaxis.autorange ? { x: null, y: null } : { x: [...xaxis.range], y: [...yaxis.range] })
      else kept.camera = scene?.camera
      kept.hidden = this.figure.data.filter((trace) => trace.visible === "legendonly").map((trace) => trace.name)
    }
    this.node.on("plotly_relayouting", () => { this.moving = true; this.cards.hide(); this.overlay.draw() })
    this.node.on("plotly_relayout", () => { this.moving = false; remember(); this.fetchDensity(); this.overlay.draw() })
    this.node.on("plotly_restyle", () => { remember(); this.overlay.draw() })
    this.node.on("plotly_afterplot", () => this.overlay.draw())
    this.node.on("plotly_hover", (event) => { if (!this.flat) this.hovered = Number(event.points[0].customdata) })
    this.node.on("plotly_unhover", () => { this.hovered = null; if (!this.flat) this.cards.hide() })
  }

  // The plotting area in pixels and the conversions between screen and map; null before the first drawing.
  space() {
    const full = this.node?._fullLayout
    if (!full?.xaxis || !this.flat || !full._size) return null
    const { xaxis, yaxis } = full
    const [left, top, width, height] = [xaxis._offset, yaxis._offset, xaxis._length, yaxis._length]
    return {
      left, top, width, height,
      toX: (x) => xaxis.l2p(x) + left, toY: (y) => yaxis.l2p(y) + top,
      fromX: (x) => xaxis.p2l(x - left), fromY: (y) => yaxis.p2l(y - top),
      holds: (x, y) => x >= left && x <= left + width && y >= top && y <= top + height,
    }
  }

  shown() { return this.dots.shown(this.node) }

  // The row at screen position (x, y), -1 for none: the thumbnail's there, or the nearest dot's within `reach` pixels.
  rowAt(x, y, reach = MapPointer.REACH) {
    if (!this.dots) return -1
    if (!this.flat) return this.hovered ?? -1
    const space = this.space()
    if (!space) return -1
    const scaleX = Math.abs(space.toX(1) - space.toX(0)), scaleY = Math.abs(space.toY(1) - space.toY(0))
    const { thumbs } = this.overlay, picture = thumbs.at(x, y)
    const place = this.dots.nearest(space.fromX(x), space.fromY(y), scaleX, scaleY, reach, this.shown())
    const seen = picture < 0 || thumbs.loose.includes(place) ? place : picture
    return seen < 0 ? -1 : this.dots.ids[seen]
  }

  point(x, y, inside) {
    this.pointer = [x, y, inside]
    if (this.pointing) return
    this.pointing = true
    requestAnimationFrame(() => { this.pointing = false; if (this.pointer) this.lookAt(...this.pointer) })
  }

  lookAt(x, y, inside) {
    if (!inside || (this.moving && this.flat)) return this.cards.hide()
    const own = this.overlay.stars.at(x, y)
    if (own) return this.cards.ownImage(own, x, y)
    const id = this.rowAt(x, y)
    if (id >= 0) return this.cards.row(id, x, y, this.pictures, this.traceName(id))
    const space = this.space()
    if (!space?.holds(x, y) || !this.decoding) return this.cards.hide()
    const { shape } = this.decoding.about
    if (!this.decoding.at(space.fromX(x), space.fromY(y), (values, far) => this.cards.decoded(values, shape, { far, exact: this.decoding.exact }, x, y))) this.cards.hide()
  }

  traceName(id) { return this.dots.traces[this.dots.trace[this.dots.placeOf(id)]]?.name ?? "" }
  colourOf(place) {
    const { marker } = this.dots.traces[this.dots.trace[place]]
    return typeof marker.color === "string" ? marker.color : "rgba(128,132,149,.8)"
  }
  hiddenNames() { return new Set((this.figure?.data ?? []).filter((trace) => trace.visible === "legendonly").map((trace) => trace.name)) }

  // A finger covers its target: search a larger radius, and keep the card until the next touch.
  click(x, y, more, finger) {
    if (this.overlay.stars.at(x, y)) return finger && this.lookAt(x, y, true)
    const id = this.rowAt(x, y, finger ? 2 * MapPointer.REACH : MapPointer.REACH)
    if (id >= 0 && more) return this.toggle(id)
    if (id >= 0) return this.pin(id)
    if (this.pinned) this.pin(null)
    else if (this.outline || this.data.picked?.bits) this.clearSelection()
    if (finger) this.lookAt(x, y, true)
  }

  async pin(id) {
    this.pinned = id === null ? null : { id, near: null }
    this.pointer = null // cancels the pending hover card
    this.cards.hide()
    if (id === null) this.cards.unpin()
    else {
      const { pinned } = this
      const space = this.space(), place = this.dots.placeOf(id)
      this.root.classList.toggle("aside", Boolean(space) && place >= 0 && space.toX(this.dots.x[place]) > this.root.clientWidth * 0.6)
      const near = this.data.near && MapBase.shelf.get(`${this.data.near}/${id}`, (answer) => answer.json())
      this.cards.pin(id, this.pictures, near, (other) => this.pin(other))
      near?.then((found) => { pinned.near = found; if (this.pinned === pinned) this.redraw() }, () => {})
    }
    this.redraw()
  }

  redraw() { if (this.flat) this.overlay.draw(); else this.draw() }

  sketch(corners) {
    const space = this.space()
    if (!space) return
    this.outline = corners && this.onMap(corners, space)
    this.overlay.draw()
  }

  onMap(corners, space) { return corners.map((value, at) => (at % 2 ? space.fromY(value) : space.fromX(value))) }

  enclose(corners) {
    const space = this.space()
    if (space) this.pick(this.onMap(corners, space))
  }

  // Selects the dots inside an outline; for maps whose dots stay on the server, the server does.
  pick(outline) {
    this.outline = outline
    const kept = VIEWS.get(this.data.space)
    kept.outline = outline && outline.map((value) => Number(value.toPrecision(5)))
    const bits = this.dots.count ? this.dots.within(outline, this.shown()) : null
    this.choose(bits, outline)
  }

  choose(bits, outline) {
    this.data = { ...this.data, picked: { ...this.data.picked, bits: bits && MapBase.textOf(bits) } }
    if (this.figure && bits) this.draw()
    this.tell("picked", { bits: bits && MapBase.textOf(bits), outline: bits ? null : outline, seq: Date.now() })
  }

  toggle(id) {
    const bits = this.data.picked?.bits ? MapBase.bitsOf(this.data.picked.bits, this.data.size) : new Uint8Array(Math.ceil(this.data.size / 8))
    const rank = this.dots.rank[this.dots.placeOf(id)]
    bits[rank >> 3] ^= 1 << (rank & 7)
    this.choose(bits, null)
  }

  clearSelection() {
    this.outline = null
    delete VIEWS.get(this.data.space).outline
    this.data = { ...this.data, picked: { ...this.data.picked, bits: null } }
    if (this.figure) this.draw()
    this.tell("picked", { bits: null, outline: null, seq: Date.now() })
  }

  close() {
    this.release()
    this.watcher.disconnect()
    window.removeEventListener("aeviz-step", this.onStep)
    this.live = null
    if (this.node) window.Plotly.purge(this.plot)
  }
}

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement, setTriggerValue }) {
  if (!data) return // mounted before the page has sent any data
  parentElement.aeviz ??= new MapView(parentElement)
  const view = parentElement.aeviz
  clearTimeout(view.closing)
  view.show(data, (name, value) => setTriggerValue(name, value))
  return () => { view.closing = setTimeout(() => { if (!parentElement.isConnected) view.close() }, 1000) }
}
