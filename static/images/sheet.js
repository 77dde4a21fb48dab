// Many small pictures on one sheet, drawn one by one with hard pixel edges; and canvases that fit the screen's pixels.
const Sheets = (() => {
  const { make } = MapBase
  const NEARLY = 0.88 // of a size is given up where all pixels of a picture can then be of one size

  class Sheet {
    constructor(packed, picture) { Object.assign(this, packed, { picture }) }

    draw(pen, number, x, y, width, height) {
      pen.imageSmoothingEnabled = width < this.width
      const left = (number % this.columns) * this.width, top = Math.floor(number / this.columns) * this.height
      pen.drawImage(this.picture, left, top, this.width, this.height, x, y, width, height)
    }
  }

  const read = async (packed) => new Sheet(packed, await createImageBitmap(new Blob([packed.picture])))

  // The size at which a picture of width x height fills `most` pixels of the screen at its longer side.
  const sized = (width, height, most) => {
    const scale = (most / Math.max(width, height)) * devicePixelRatio
    const by = (Math.floor(scale) > scale * NEARLY ? Math.floor(scale) : scale) / devicePixelRatio
    return [width * by, height * by]
  }

  // A pen for a canvas of so many pixels of the page.
  const fit = (canvas, width, height) => {
    const wide = Math.round(width * devicePixelRatio), high = Math.round(height * devicePixelRatio)
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high })
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` })
    const pen = canvas.getContext("2d")
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    pen.clearRect(0, 0, width, height)
    return pen
  }

  // One picture of a sheet on a canvas, `most` pixels at its longer side.
  const paint = (canvas, sheet, number, most) => {
    const [width, height] = sized(sheet.width, sheet.height, most)
    sheet.draw(fit(canvas, width, height), number, 0, 0, width, height)
  }

  // Begins in a place of the page, once: its style, and the element everything stands in.
  const begin = (parent, css, className) => {
    make("style", "", parent).textContent = css
    return make("div", className, parent)
  }

  return { read, sized, fit, paint, begin }
})()
const distanceSaid = (far, said) => (far > 6 ? said.far : far > 2 ? said.edge : said.near)
