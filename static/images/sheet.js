// Sprite sheets of small images, drawn with hard pixel edges, and canvases scaled to device pixels.
const Sheets = (() => {
  const { make } = MapBase
  const NEARLY = 0.88 // shrink down to this share if image pixels then map to whole device pixels

  class Sheet {
    constructor(packed, picture) { Object.assign(this, packed, { picture }) }

    draw(pen, number, x, y, width, height) {
      pen.imageSmoothingEnabled = width < this.width
      const left = (number % this.columns) * this.width, top = Math.floor(number / this.columns) * this.height
      pen.drawImage(this.picture, left, top, this.width, this.height, x, y, width, height)
    }
  }

  const read = async (packed) => new Sheet(packed, await createImageBitmap(new Blob([packed.picture])))

  // Display size of a width x height image whose longer side is about `most` CSS pixels.
  const sized = (width, height, most) => {
    const scale = (most / Math.max(width, height)) * devicePixelRatio
    const by = (Math.floor(scale) > scale * NEARLY ? Math.floor(scale) : scale) / devicePixelRatio
    return [width * by, height * by]
  }

  // Resizes a canvas to width x height CSS pixels; returns its cleared context.
  const fit = (canvas, width, height) => {
    const wide = Math.round(width * devicePixelRatio), high = Math.round(height * devicePixelRatio)
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high })
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` })
    const pen = canvas.getContext("2d")
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    pen.clearRect(0, 0, width, height)
    return pen
  }

  // Paints one image of a sheet on a canvas, its longer side `most` CSS pixels.
  const paint = (canvas, sheet, number, most) => {
    const [width, height] = sized(sheet.width, sheet.height, most)
    sheet.draw(fit(canvas, width, height), number, 0, 0, width, height)
  }

  // Adds a component's style and root element to its parent.
  const begin = (parent, css, className) => {
    make("style", "", parent).textContent = css
    return make("div", className, parent)
  }

  return { read, sized, fit, paint, begin }
})()
const distanceText = (far, said) => (far > 6 ? said.far : far > 2 ? said.edge : said.near)
