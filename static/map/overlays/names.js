// Region labels of a flat map: class names and mean images, largest region first. A label that would cover another is
// shifted slightly, or hidden until the user zooms in.
const MapNames = (() => {
  const LONGEST = 24, LINE = 18, MEAN = 40
  const MOST_X = 44, MOST_Y = 36 // largest shift of a label, in pixels
  const MOVES = [[0, 0], [0, -1], [0, 1], [-1, 0], [1, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]]
  const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text)

  // Merges names and means at the same point into one label each.
  const regions = ({ data, means }, hidden) => {
    const found = new Map()
    const put = (part, more) => {
      const place = `${part.x} ${part.y}`
      found.set(place, { ...found.get(place), x: part.x, y: part.y, size: part.size, ...more })
    }
    for (const name of data.names) if (!hidden.has(name.trace)) put(name, { text: cut(name.text) })
    if (data.show === "means") for (const mean of means) put(mean, { images: mean.images })
    return [...found.values()].sort((a, b) => b.size - a.size)
  }

  const paint = (pen, space, view) => {
    Object.assign(pen, { font: `600 14px ${getComputedStyle(view.root).fontFamily}`, textAlign: "center", textBaseline: "middle", lineJoin: "round" })
    pen.imageSmoothingEnabled = false
    const reserved = new MapCollision.Boxes(space)
    const drawn = []
    for (const region of regions(view, view.hiddenNames())) {
      const x = space.toX(region.x), y = space.toY(region.y)
      if (!space.holds(x, y)) continue
      const width = Math.max(region.text ? pen.measureText(region.text).width + 6 : 0, region.images ? 2 * MEAN + 2 : 0)
      const height = (region.text ? LINE : 0) + (region.images ? MEAN + 2 : 0)
      const across = Math.min(width * 0.6, MOST_X), down = Math.min(height, MOST_Y)
      const boxes = MOVES.map(([right, low]) => [x + right * across - width / 2, y + low * down - LINE / 2, width, height])
      const box = reserved.take(boxes)
      if (box) drawn.push({ ...region, box })
    }
    for (const region of drawn) one(pen, view, region)
  }

  // Draws a name and, below it, the class's mean image beside its decoded mean code.
  const one = (pen, view, { text, images, box: [left, top, width] }) => {
    if (text) {
      const at = [left + width / 2, top + LINE / 2]
      Object.assign(pen, { lineWidth: 4, strokeStyle: view.background, fillStyle: view.ink })
      pen.strokeText(text, ...at)
      pen.fillText(text, ...at)
    }
    if (!images) return
    const x = left + width / 2 - MEAN, y = top + (text ? LINE : 0) + 1
    images.forEach((image, at) => { if (image.complete) pen.drawImage(image, x + at * MEAN, y, MEAN, MEAN) })
    Object.assign(pen, { lineWidth: 1, strokeStyle: view.background })
    pen.strokeRect(x, y, 2 * MEAN, MEAN)
  }

  return { paint }
})()
