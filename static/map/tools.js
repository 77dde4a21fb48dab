// The map's toolbar (reset, link, PNG and SVG) and its density layer.
const VIEWS = new Map() // by map: zoom or camera, outline and hidden classes, until the page is closed

const MapTools = (() => {
  const CELL = 3 // screen pixels per density cell

  class Tools {
    makeTools() {
      if (this.tools.childElementCount) return
      const button = (text, work) => Object.assign(MapBase.make("button", "", this.tools), { textContent: text, onclick: work })
      const { said } = this.data
      button(said.reset, () => this.reset())
      const link = said.link && this.data.link?.method && button(said.link, async () => {
        await navigator.clipboard.writeText(this.link())
        link.textContent = this.data.said.copied
        setTimeout(() => { link.textContent = this.data.said.link }, 1500)
      })
      button("PNG", () => this.savePicture())
      button("SVG", () => window.Plotly.downloadImage(this.node, { format: "svg", filename: "map", width: this.root.clientWidth, height: this.root.clientHeight }))
    }

    reset() {
      if (this.flat) window.Plotly.relayout(this.node, { "xaxis.autorange": true, "yaxis.autorange": true })
      else window.Plotly.relayout(this.node, { "scene.camera": this.figure.layout.scene.camera })
    }

    // A link to this view: the page's options, the zoom or camera, the outline and hidden classes.
    link() {
      const kept = VIEWS.get(this.data.space) ?? {}
      const view = Object.fromEntries(["x", "y", "camera", "outline", "hidden"].filter((name) => kept[name] && kept[name].length !== 0).map((name) => [name, kept[name]]))
      const address = new URL(window.location.href)
      address.searchParams.set("map", JSON.stringify({ ...this.data.link, view }, (_, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value)))
      return address.href
    }

    async savePicture() {
      const width = this.root.clientWidth, height = this.root.clientHeight, scale = 2
      const image = new Image()
      image.src = await window.Plotly.toImage(this.node, { format: "png", width, height, scale })
      await image.decode()
      const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale })
      const pen = canvas.getContext("2d")
      pen.fillStyle = this.background
      pen.fillRect(0, 0, canvas.width, canvas.height)
      const put = (layer) => pen.drawImage(layer, 0, 0, canvas.width, canvas.height)
      put(this.overlay.under)
      put(image)
      this.dim(pen, scale)
      put(this.overlay.canvas)
      const anchor = Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: "map.png" })
      anchor.click()
    }

    // Dots that the page fades behind thumbnails are faded in the saved picture, too.
    dim(pen, scale) {
      const space = this.space(), dots = this.plot.querySelector(".gl-container")
      if (!space || !dots) return
      pen.globalAlpha = 1 - Number(getComputedStyle(dots).opacity)
      pen.fillRect(...[space.left, space.top, space.width, space.height].map((value) => value * scale))
      pen.globalAlpha = 1
    }

    async fetchDensity() {
      const { density, show } = this.data, space = this.space()
      if (show !== "density" || !density) return
      if (!space) { setTimeout(() => this.fetchDensity(), 120); return }
      const [x0, x1] = [space.fromX(space.left), space.fromX(space.left + space.width)]
      const [y0, y1] = [space.fromY(space.top + space.height), space.fromY(space.top)]
      const asked = new URLSearchParams({ x0, x1, y0, y1, width: Math.round(space.width / CELL), height: Math.round(space.height / CELL) })
      const address = `${density.address}?${asked}`
      if (address === this.densityAddress) return
      this.densityAddress = address
      const found = await MapBase.packed(address).catch(() => null)
      if (!found) return this.tell("missing", Date.now())
      if (address !== this.densityAddress) return
      this.densityImage = { x0, x1, y0, y1, canvas: shaded(found, density.palette) }
      this.root.dataset.density = String(found.shown)
      this.overlay.draw()
    }
  }

  // Renders counts per cell as an image in the page's colours, more opaque for higher counts.
  const shaded = ({ shades, numbers, width, height }, palette) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height })
    const image = new ImageData(width, height)
    const colours = palette.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)))
    shades.forEach((shade, cell) => {
      if (!shade) return
      const [red, green, blue] = colours[numbers[cell] % colours.length]
      image.data.set([red, green, blue, 90 + shade * 0.64], cell * 4)
    })
    canvas.getContext("2d").putImageData(image, 0, 0)
    return canvas
  }

  return { Tools }
})()
