// Rows of images that update in place: an image is replaced only once its successor is decoded, to avoid flicker.
const CSS = `
.strips { display: flex; flex-direction: column; gap: 4px; font: 12px var(--st-font); color: var(--st-text-color); overflow-y: auto }
.row { display: flex; align-items: center; gap: 12px; flex: none }
.row span { width: 108px; flex: none; text-align: right; opacity: .65; font-variant-numeric: tabular-nums }
.row img { image-rendering: pixelated; min-width: 0; max-width: 100%; object-fit: contain; object-position: left; border-radius: 3px }
@media (max-width: 640px) { .row { gap: 8px } .row span { width: 66px } }
.row.first { padding-bottom: 8px; margin-bottom: 4px; border-bottom: 1px solid var(--st-border-color) }
.plain span { display: none }
.empty { display: grid; place-items: center; flex: 1; opacity: .55 }`
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))

const setRow = (row, { label, source }, height) => {
  row.firstChild.textContent = label
  const image = row.lastChild
  image.alt = label
  image.style.height = `${height}px`
  if (image.wanted === source) return
  image.wanted = source
  const next = new Image()
  next.src = source
  next.decode().then(() => { if (image.wanted === source) image.src = source }, () => { image.wanted = null })
}

export default function ({ data, parentElement }) {
  if (!parentElement.aeviz) {
    make("style", "", parentElement).textContent = CSS
    parentElement.aeviz = make("div", "strips", parentElement)
  }
  const root = parentElement.aeviz
  root.style.height = `${data.height}px`
  root.classList.toggle("plain", data.plain)
  const rows = root.getElementsByClassName("row")
  while (rows.length > data.rows.length) rows[rows.length - 1].remove()
  while (rows.length < data.rows.length) {
    const row = make("div", "row", root)
    make("span", "", row)
    make("img", "", row)
  }
  data.rows.forEach((one, number) => {
    rows[number].classList.toggle("first", !data.plain && number === 0)
    setRow(rows[number], one, data.side)
  })
  root.querySelector(".empty")?.remove()
  if (!data.rows.length) make("div", "empty", root).textContent = data.empty
}
