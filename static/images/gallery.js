// Thumbnails cut from one sheet, in a single scrolling row or in a grid; optionally selectable and removable.
const CSS = `
.gallery { display: flex; flex-wrap: wrap; gap: 8px; box-sizing: border-box; font: 12px/1.3 var(--st-font); color: var(--st-text-color); padding: 2px; overflow-y: auto; align-content: flex-start }
.gallery:not(.row) { scrollbar-gutter: stable }
.gallery.row { flex-wrap: nowrap; overflow: auto hidden; scrollbar-width: thin }
.item { position: relative; flex: none; display: flex; flex-direction: column; gap: 3px; padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: center }
button.item { cursor: pointer }
.parts { display: flex; gap: 2px; border-radius: 4px; overflow: hidden; outline: 2px solid transparent; outline-offset: 1px }
.item i { display: block; background: var(--sheet) no-repeat; image-rendering: pixelated }
.item.smooth i { image-rendering: auto }
button.item:hover .parts { outline-color: var(--st-border-color) }
.item[aria-pressed=true] .parts, button.item:focus-visible .parts { outline-color: var(--st-primary-color) }
button.item:focus-visible { outline: none }
.item span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; opacity: .75 }
.item.best span { opacity: 1; font-weight: 650; color: var(--st-green-text-color) }
.item.best span::before { content: "★ " }
.remove { position: absolute; top: -2px; right: -2px; width: 20px; height: 20px; padding: 0; border: 1px solid var(--st-border-color); border-radius: 50%;
  background: var(--st-background-color); color: inherit; font: 13px/1 var(--st-font); cursor: pointer; opacity: 0 }
.place:hover .remove, .remove:focus-visible, .place[data-picked] .remove { opacity: 1 }
.place { position: relative; flex: none }
@media (pointer: coarse) { .remove { width: 26px; height: 26px } }`
const GAP = 8, NEAR = 40, SLACK = 0.5 // pixels: between thumbnails, of neighbours to keep visible, rounding tolerance
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))

// Thumbnail height near `side` at which full rows fill the available width.
const fitting = ({ tile: [width, height], parts, side, row, count }, available) => {
  const seams = 2 * (parts - 1), wide = parts * width * (side / height) + seams
  const across = Math.max(1, Math.round((available + GAP) / (wide + GAP)))
  if (row || count <= across || !available) return side
  return (((available + GAP) / across - GAP - seams - SLACK) * height) / (parts * width)
}

const item = (parent, number, data, side, tell) => {
  const { tile: [width, height], columns, parts, labels, notes, best, picked, said } = data
  const scale = side / height
  const place = make("div", "place", parent)
  const shown = make(data.pickable ? "button" : "div", "item", place)
  const line = make("div", "parts", shown)
  shown.classList.toggle("best", best.includes(number))
  shown.classList.toggle("smooth", scale < 1)
  for (let at = number * parts; at < (number + 1) * parts; at++) {
    Object.assign(make("i", "", line).style, {
      width: `${width * scale}px`, height: `${side}px`, backgroundSize: `${columns * width * scale}px auto`,
      backgroundPosition: `${-(at % columns) * width * scale}px ${-Math.floor(at / columns) * side}px`,
    })
  }
  shown.title = notes[number] || labels[number] || ""
  if (labels.length) Object.assign(make("span", "", shown), { textContent: labels[number] }).style.maxWidth = `${Math.max(parts * width * scale, 44)}px`
  if (!data.pickable) return
  Object.assign(shown, { type: "button", ariaPressed: String(number === picked), onclick: () => tell("picked", number) })
  shown.setAttribute("aria-label", shown.title || String(number + 1))
  if (number === picked) place.dataset.picked = ""
  if (!data.removable) return
  const remove = Object.assign(make("button", "remove", place), { type: "button", textContent: "×", title: said.remove, onclick: () => tell("removed", number) })
  remove.setAttribute("aria-label", `${said.remove} ${shown.title}`)
}

// Linked rows scroll together, wherever they are on the page.
const shown = new Set()
const follow = ({ dataset: { together }, scrollLeft }) => {
  for (const other of shown) if (!other.isConnected) shown.delete(other)
  for (const other of shown) if (other.dataset.together === together) other.scrollLeft = scrollLeft
}

class Gallery {
  constructor(parent) {
    make("style", "", parent).textContent = CSS
    this.parent = parent
    this.root = make("div", "gallery", parent)
    shown.add(this.root)
    new ResizeObserver(() => { if (this.fit() !== this.side) this.draw() }).observe(this.root)
  }

  show(data, tell) {
    const { root } = this, moved = this.data?.picked !== data.picked
    Object.assign(this, { data, tell })
    root.classList.toggle("row", data.row)
    root.style.setProperty("--sheet", `url(${data.sheet})`)
    root.style.maxHeight = data.height ? `${data.height}px` : ""
    root.dataset.together = data.together ?? ""
    root.onscroll = data.together ? () => follow(root) : null
    this.draw()
    if (moved) this.bringIntoSight()
  }

  fit() { return fitting(this.data, this.root.clientWidth - 4) }

  draw() {
    const { root } = this, { scrollLeft, scrollTop } = root
    const focused = [...root.querySelectorAll("button.item")].indexOf(this.parent.activeElement)
    root.replaceChildren()
    this.side = this.fit()
    for (let number = 0; number < this.data.count; number++) item(root, number, this.data, this.side, this.tell)
    Object.assign(root, { scrollLeft, scrollTop })
    root.querySelectorAll("button.item")[focused]?.focus()
  }

  // Scrolls the gallery only, not the page.
  bringIntoSight() {
    const { root } = this, picked = root.querySelector("[data-picked]")?.getBoundingClientRect(), box = root.getBoundingClientRect()
    if (!picked) return
    root.scrollLeft += Math.max(0, picked.right + NEAR - box.right) - Math.max(0, box.left - picked.left + NEAR)
    root.scrollTop += Math.max(0, picked.bottom - box.bottom) - Math.max(0, box.top - picked.top)
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.aeviz ??= new Gallery(parentElement)
  parentElement.aeviz.show(data, setTriggerValue)
}
