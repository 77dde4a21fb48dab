// Many images in the largest grid that fits, or in labelled rows. The image under the pointer is shown enlarged, beside
// its nearest neighbour in the data set.
const CSS = `
.mosaic { color: var(--st-text-color); font: 13px var(--st-font); position: relative; overflow-y: auto; overflow-x: hidden }
.mosaic canvas { display: block; touch-action: pan-y; margin: 0 auto } .mosaic.named canvas { margin: 0 }
.mosaic:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; border-radius: 6px }
.label { position: absolute; left: 0; width: 112px; display: flex; flex-direction: column; justify-content: center; line-height: 1.25 }
.label b { font-weight: 600; overflow-wrap: anywhere } .label span { opacity: .65; font-variant-numeric: tabular-nums }
.card { position: fixed; z-index: 9; padding: 10px; border-radius: 10px; border: 1px solid var(--st-border-color); pointer-events: none;
  background: var(--st-background-color); box-shadow: 0 6px 24px rgb(0 0 0 / .22); width: max-content; max-width: 340px }
.card[hidden] { display: none }
.pair { display: flex; gap: 10px } .pair[hidden] { display: none }
.pair figure { margin: 0; display: flex; flex-direction: column; gap: 4px } .pair figure[hidden] { display: none }
.pair canvas { border-radius: 4px; display: block } .pair figcaption { opacity: .7 }
.said { margin-top: 5px; font-variant-numeric: tabular-nums } .said:empty { display: none }`
const { make } = MapBase
const LARGE = 140, LABEL = 120, MOST = 68

class Mosaic {
  constructor(parent) {
    this.root = Sheets.begin(parent, CSS, "mosaic")
    this.root.tabIndex = 0
    this.root.setAttribute("role", "img")
    this.canvas = make("canvas", "", this.root)
    this.labels = make("div", "", this.root)
    this.card = make("div", "card", this.root)
    this.card.hidden = true
    const pair = make("div", "pair", this.card)
    this.large = [0, 1].map(() => {
      const figure = make("figure", "", pair)
      return { figure, canvas: make("canvas", "", figure), caption: make("figcaption", "", figure) }
    })
    this.words = make("div", "said", this.card)
    this.canvas.onpointermove = this.canvas.onpointerdown = (event) => this.point(event)
    this.canvas.onpointerleave = (event) => { if (event.pointerType === "mouse") this.choose(null) }
    this.root.onblur = () => this.choose(null)
    this.root.onkeydown = (event) => this.key(event)
    this.root.onscroll = () => this.choose(null)
    this.watcher = new ResizeObserver(() => { if (this.sheet) this.draw() })
    this.watcher.observe(this.root)
  }

  // What was there before is drawn until what is asked for is here.
  async show(data, tell) {
    const { address } = data
    this.wanted = address
    this.root.style.maxHeight = `${data.height}px`
    if (!this.sheet) this.root.style.minHeight = `${data.height}px` // keeps the layout stable
    try {
      const packed = await MapBase.packed(address)
      const [sheet, nearest] = await Promise.all([packed.sheet, packed.nearest].map((one) => one && Sheets.read(one)))
      if (address !== this.wanted) return
      Object.assign(this, { data, packed, sheet, nearest, chosen: null })
      this.card.hidden = true
      this.draw()
      this.root.style.minHeight = 0
      this.root.ariaLabel = data.alt
      this.root.dataset.count = sheet.count
    } catch (error) {
      if (address === this.wanted) tell("missing", Date.now()) // the server may have evicted the bytes
    }
  }

  // Chooses columns and cell size: as given for labelled rows, otherwise the grid with the largest images.
  layout() {
    const { clientWidth: width } = this.root, { rows, columns, height } = this.data
    const { count } = this.sheet, shape = this.sheet.height / this.sheet.width
    this.gap = columns && !rows ? 0 : 2 // the cells of a plane form one picture
    this.root.classList.toggle("named", Boolean(rows))
    this.left = rows && !this.data.narrow ? LABEL : 0
    this.above = rows && this.data.narrow ? 20 : 0
    if (columns) {
      const fits = (width - this.left) / columns
      this.side = rows ? Math.min(MOST, fits) : Math.min(fits, (height / Math.ceil(count / columns)) / shape)
      return columns
    }
    let best = 1
    this.side = 0
    for (let across = 1; across <= count; across++) {
      const side = Math.min(width / across, height / Math.ceil(count / across) / shape)
      if (side > this.side) [this.side, best] = [side, across]
    }
    this.side = Math.min(this.side, 160)
    return best
  }

  draw() {
    if (!this.root.clientWidth) return
    const columns = (this.columns = this.layout()), lines = Math.ceil(this.sheet.count / columns)
    const [width, height] = Sheets.sized(this.sheet.width, this.sheet.height, (this.side - this.gap) * Math.max(1, this.sheet.height / this.sheet.width))
    Object.assign(this, { width: width + this.gap, height: height + this.gap + this.above })
    const pen = Sheets.fit(this.canvas, this.left + columns * this.width, lines * this.height)
    for (let cell = 0; cell < this.sheet.count; cell++) {
      const [x, y] = this.place(cell)
      pen.globalAlpha = this.packed.fade ? this.packed.fade[cell] : 1
      this.sheet.draw(pen, this.order(cell), x, y, width, height)
    }
    pen.globalAlpha = 1
    pen.strokeStyle = getComputedStyle(this.root).getPropertyValue("--st-primary-color") || "#4f46e5"
    pen.lineWidth = 2
    for (const cell of this.packed.marks ?? []) this.frame(pen, cell)
    if (this.chosen !== null) this.frame(pen, this.chosen)
    this.write()
  }

  order(cell) { return this.packed.order ? this.packed.order[cell] : cell }
  place(cell) {
    return [this.left + (cell % this.columns) * this.width, Math.floor(cell / this.columns) * this.height + this.above]
  }
  frame(pen, cell) {
    const [x, y] = this.place(cell)
    pen.strokeRect(x + 1, y + 1, this.width - this.gap - 2, this.height - this.above - this.gap - 2)
  }

  write() {
    this.labels.replaceChildren(...(this.data.rows ?? []).map(({ label, note }, row) => {
      const one = document.createElement("div")
      one.className = "label"
      Object.assign(one.style, { top: `${row * this.height}px`, height: `${this.above || this.height - this.gap}px` })
      if (this.above) Object.assign(one.style, { flexDirection: "row", justifyContent: "flex-start", gap: "8px", width: "100%" })
      make("b", "", one).textContent = label
      make("span", "", one).textContent = note
      return one
    }))
  }

  point(event) {
    const column = Math.floor((event.offsetX - this.left) / this.width), line = Math.floor(event.offsetY / this.height)
    const cell = line * this.columns + column
    const inside = column >= 0 && column < this.columns && cell >= 0 && cell < this.sheet.count
    this.choose(inside ? cell : null)
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key]
    if (!step) return
    event.preventDefault()
    this.choose(Math.max(0, Math.min(this.sheet.count - 1, (this.chosen ?? -step) + step)))
  }

  choose(cell) {
    if (!this.sheet || cell === this.chosen) return
    this.chosen = cell
    this.card.hidden = cell === null
    this.draw()
    if (cell === null) return
    const number = this.order(cell)
    ;[this.sheet, this.nearest].forEach((sheet, side) => {
      const { figure, canvas, caption } = this.large[side]
      figure.hidden = !sheet
      if (!sheet) return
      Sheets.paint(canvas, sheet, number, LARGE)
      caption.textContent = this.nearest ? this.data.captions[side] : ""
    })
    this.words.textContent = this.packed.words?.[number] ?? ""
    this.root.dataset.chosen = number
    this.put(cell)
  }

  // Places the card beside the cell, inside the window.
  put(cell) {
    const box = this.canvas.getBoundingClientRect(), [x, y] = this.place(cell), { card } = this
    const right = box.left + x + this.width + 10, width = card.offsetWidth, height = card.offsetHeight
    const left = right + width > innerWidth - 6 ? Math.max(6, box.left + x - width - 10) : right
    card.style.left = `${Math.min(left, Math.max(6, innerWidth - width - 6))}px`
    card.style.top = `${Math.max(6, Math.min(box.top + y - 20, innerHeight - height - 6))}px`
  }

  close() { this.watcher.disconnect() }
}

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.aeviz ??= new Mosaic(parentElement)
  const mosaic = parentElement.aeviz
  clearTimeout(mosaic.closing)
  mosaic.show(data, (name, value) => setTriggerValue(name, value))
  return () => { mosaic.closing = setTimeout(() => { if (!parentElement.isConnected) mosaic.close() }, 1000) }
}
