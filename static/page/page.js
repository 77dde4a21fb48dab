// A self-contained map: the data usually fetched from a server is embedded in the page, under the same addresses.
const element = (id) => JSON.parse(document.getElementById(id).textContent)
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
const scene = element("scene"), carried = element("carried")

const near = MapBase.unpack(bytesOf(carried.near).buffer)
const places = new Map(scene.pictures.rows.map((row, place) => [row, place]))
const neighbours = (row) => {
  const start = places.get(row) * near.count
  return { latent: Array.from(near.rows.subarray(start, start + near.count)) }
}
window.AEVIZ_INLINE = (address) => {
  if (address.startsWith("near/")) return new Response(JSON.stringify(neighbours(Number(address.slice(5)))))
  return carried[address] && new Response(bytesOf(carried[address]))
}

const main = document.querySelector("main"), view = new MapView(main)
const chosen = { colour: scene.colours[0], show: "dots" }
const draw = () => {
  const { colour, show } = chosen
  const picked = view.data.picked ?? scene.picked
  const height = Math.max(360, window.innerHeight - document.body.scrollHeight + main.offsetHeight)
  view.show({ ...scene, figure: colour.figure, names: colour.names, show, grid: show === "decoded", picked, height }, () => {})
}

const choice = (name, options, texts) => {
  if (options.length < 2) return
  const fieldset = MapBase.make("fieldset", "", document.querySelector("nav"))
  MapBase.make("legend", "", fieldset).textContent = name[0].toUpperCase() + name.slice(1)
  options.forEach((option, number) => {
    const label = MapBase.make("label", "", fieldset)
    const input = MapBase.make("input", "", label)
    Object.assign(input, { type: "radio", name, checked: number === 0, onchange: () => { chosen[name] = option; draw() } })
    label.append(texts[number])
  })
}
choice("colour", scene.colours, scene.colours.map((colour) => colour.label))
choice("show", ["dots", "pictures", ...(scene.decode ? ["decoded"] : [])], ["Dots", "Pictures", "Decoded"])
window.addEventListener("resize", draw)
draw()
window.aeviz = { view, readDecoder }
