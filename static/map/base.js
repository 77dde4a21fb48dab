// Shared by all parts of the map: DOM elements, packed arrays, cached fetches, base64 and geometry.
const MapBase = (() => {
  const MOST_FILE = 20 * 2 ** 20 // bytes
  const TYPES = { f4: Float32Array, i4: Int32Array, u1: Uint8Array }

  const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))

  // Unpacks a value packed by `aeviz.plots.packed.pack`; arrays become typed-array views of the buffer.
  const unpack = (buffer) => {
    const length = new DataView(buffer).getUint32(0, true)
    const begin = 8 * Math.ceil((4 + length) / 8)
    const filled = (value) => {
      if (Array.isArray(value)) return value.map(filled)
      if (!value || typeof value !== "object") return value
      if (value.$) return new TYPES[value.$[0]](buffer, begin + value.$[1], value.$[2])
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item)]))
    }
    return filled(JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))))
  }

  // A self-contained page answers from its own data instead of a server.
  const ask = (address) => window.AEVIZ_INLINE?.(address) ?? fetch(address)

  // LRU cache of fetches by address. Failed fetches are not cached.
  class Shelf {
    constructor(most) { this.most = most; this.kept = new Map() }
    get(address, read) {
      const found = this.kept.get(address) ?? this.fetch(address, read)
      this.kept.delete(address)
      this.kept.set(address, found)
      if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value)
      return found
    }
    fetch(address, read) {
      const found = Promise.resolve(ask(address)).then(async (answer) => {
        if (!answer.ok) throw new Error(`${answer.status} for ${address}`)
        return read ? read(answer) : answer.arrayBuffer()
      })
      found.catch(() => this.kept.delete(address))
      return found
    }
  }
  const shelf = new Shelf(48)
  const packed = (address) => shelf.get(address, async (answer) => unpack(await answer.arrayBuffer()))

  let plotly = null
  const loadPlotly = (address) => {
    plotly ??= new Promise((done, failed) => {
      if (window.Plotly) return done(window.Plotly)
      const loading = document.querySelector(`script[src="${address}"]`)
      const script = loading ?? document.head.appendChild(Object.assign(document.createElement("script"), { src: address }))
      script.addEventListener("load", () => done(window.Plotly))
      script.addEventListener("error", () => { plotly = null; script.remove(); failed(new Error("Plotly could not be loaded")) })
    })
    return plotly
  }

  const bitsOf = (text, size) => {
    const bits = new Uint8Array(Math.ceil(size / 8))
    const bytes = atob(text)
    for (let at = 0; at < bytes.length && at < bits.length; at++) bits[at] = bytes.charCodeAt(at)
    return bits
  }
  const has = (bits, id) => (bits[id >> 3] >> (id & 7)) & 1
  const textOf = (bits) => {
    let text = ""
    for (let start = 0; start < bits.length; start += 8192) text += String.fromCharCode(...bits.subarray(start, start + 8192))
    return btoa(text)
  }

  // Reads a file as base64; `content` is null if the file is too large or unreadable, and the server reports it.
  const readFile = (file) => new Promise((done) => {
    if (file.size > MOST_FILE) return done({ name: file.name, size: file.size, content: null })
    const reader = new FileReader()
    reader.onload = () => done({ name: file.name, size: file.size, content: reader.result.slice(reader.result.indexOf(",") + 1) })
    reader.onerror = () => done({ name: file.name, size: file.size, content: null })
    reader.readAsDataURL(file)
  })

  // Whether (x, y) is inside a polygon [x0, y0, x1, y1, ...].
  const within = (outline, x, y) => {
    let inside = false
    for (let at = 0, last = outline.length - 2; at < outline.length; last = at, at += 2) {
      const y0 = outline[at + 1], y1 = outline[last + 1]
      if (y0 > y !== y1 > y && x < ((outline[last] - outline[at]) * (y - y0)) / (y1 - y0) + outline[at]) inside = !inside
    }
    return inside
  }

  return { make, unpack, packed, shelf, loadPlotly, bitsOf, textOf, has, readFile, within }
})()
