// Collision avoidance for labels and images on the map: first come, first served.
const MapCollision = (() => {
  class Boxes {
    constructor({ left, top, width, height }) {
      Object.assign(this, { left, top, right: left + width, bottom: top + height, taken: [] })
    }

    // Reserves the first of these boxes [left, top, width, height] that, shifted into the map, overlaps no reserved
    // one; null if none does.
    take(boxes) {
      const found = boxes.map((box) => this.moved(box)).find((box) => this.taken.every((other) => apart(box, other)))
      if (found) this.taken.push(found)
      return found ?? null
    }

    moved([left, top, width, height]) {
      const at = (value, low, high) => Math.max(low, Math.min(value, high))
      return [at(left, this.left, this.right - width), at(top, this.top, this.bottom - height), width, height]
    }
  }

  const apart = (a, b) => a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1]

  return { Boxes }
})()
