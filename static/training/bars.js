// Groups of bars that update in place: diagnostics of the network during training.
const CSS = `
.groups { display: grid; grid-template-columns: 1fr 1fr; gap: 18px 28px; font: 12px var(--st-font); color: var(--st-text-color); overflow-y: auto }
@media (max-width: 640px) { .groups { grid-template-columns: 1fr } }
.group { display: flex; flex-direction: column; min-width: 0; min-height: 150px }
.group.wide { grid-column: 1 / -1 }
.title { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; height: 22px; white-space: nowrap; overflow: hidden }
.title b { font-weight: 600 } .title span { opacity: .65; font-variant-numeric: tabular-nums }
.bars { display: flex; align-items: flex-end; gap: min(4px, 12%); flex: 1; border-bottom: 1px solid var(--st-border-color); min-height: 90px }
.bar { flex: 1; min-width: 1px; height: 100%; display: flex; flex-direction: column; justify-content: flex-end; align-items: center; max-width: 64px }
.bar div { width: 100%; border-radius: 3px 3px 0 0; transition: height .3s ease-out; background: var(--colour) }
.bar.faint div { opacity: .3 }
.bar em { font-style: normal; font-size: 11px; opacity: .75; padding-bottom: 2px; font-variant-numeric: tabular-nums }
.labels { display: flex; gap: min(4px, 12%); height: 18px }
.labels span { flex: 1; min-width: 1px; max-width: 64px; text-align: center; overflow: hidden; white-space: nowrap; opacity: .6; font-size: 11px; line-height: 18px }
.empty { display: grid; place-items: center; flex: 1; opacity: .55 }`
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))
const FEW = 16 // up to this many bars get labels and values

const format = (value) => (value && Math.abs(value) < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(2))))

const fill = (place, one) => {
  if (!place.bars) {
    const title = make("div", "title", place)
    Object.assign(place, { name: make("b", "", title), note: make("span", "", title) })
    Object.assign(place, { bars: make("div", "bars", place), labels: make("div", "labels", place) })
  }
  place.classList.toggle("wide", Boolean(one.wide))
  place.name.textContent = one.title
  place.title = one.help
  place.note.textContent = one.note
  place.style.setProperty("--colour", one.colour)
  const few = one.values.length <= FEW
  const values = one.values.map((value) => value ?? 0)
  // On a log scale, bars start below a hundredth of the highest value, or below the lowest if that is smaller.
  const high = one.top ?? Math.max(...values, 1e-12)
  const foot = Math.min(high / 100, ...values.filter((value) => value > 0)) / 2
  const share = (value) => (one.log ? (value > 0 ? Math.log(value / foot) / Math.log(high / foot) : 0) : value / high)
  const bars = place.bars.children
  while (bars.length > values.length) bars[bars.length - 1].remove()
  while (bars.length < values.length) { const bar = make("div", "bar", place.bars); make("em", "", bar); make("div", "", bar) }
  values.forEach((value, number) => {
    const bar = bars[number]
    bar.title = `${one.labels[number]}: ${format(value)}${one.unit}`
    bar.classList.toggle("faint", Boolean(one.faint?.[number]))
    bar.firstChild.textContent = few ? format(value) : ""
    bar.lastChild.style.height = `${Math.max(0, Math.min(1, share(value))) * (few ? 82 : 100)}%`
  })
  const labels = few ? one.labels : []
  place.labels.replaceChildren(...labels.map((label) => Object.assign(document.createElement("span"), { textContent: label })))
}

export default function ({ data, parentElement }) {
  if (!parentElement.aeviz) {
    make("style", "", parentElement).textContent = CSS
    parentElement.aeviz = make("div", "groups", parentElement)
  }
  const root = parentElement.aeviz
  root.style.height = `${data.height}px`
  const places = root.getElementsByClassName("group")
  while (places.length > data.groups.length) places[places.length - 1].remove()
  while (places.length < data.groups.length) make("div", "group", root)
  data.groups.forEach((one, number) => fill(places[number], one))
  root.querySelector(".empty")?.remove()
  if (!data.groups.length) make("div", "empty", root).textContent = data.empty
}
