// The dots of all traces of a figure as flat arrays: coordinates, row, trace and visibility.
const MapPoints = (() => {
  const hashed = (id) => {
    const once = Math.imul(id ^ (id >>> 16), 0x45d9f3b), twice = Math.imul(once ^ (once >>> 16), 0x45d9f3b)
    return (twice ^ (twice >>> 16)) >>> 0
  }

  class Points {
    constructor(figure) {
      this.traces = figure.data.filter((trace) => trace.customdata?.length) // density maps have dots in the legend only
      this.count = this.traces.reduce((sum, trace) => sum + trace.customdata.length, 0)
      this.flat = !this.traces.some((trace) => trace.z)
      this.ids = new Int32Array(this.count)
      this.trace = new Uint16Array(this.count)
      for (const axis of this.axes) this[axis] = new Float32Array(this.count)
      let at = 0
      this.traces.forEach((trace, number) => {
        this.ids.set(trace.customdata, at)
        this.trace.fill(number, at, at + trace.customdata.length)
        for (const axis of this.axes) this[axis].set(trace[axis], at)
        at += trace.customdata.length
      })
      this.most = this.ids.reduce((most, id) => Math.max(most, id), -1)
      this.places = new Int32Array(this.most + 1).fill(-1)
      this.ids.forEach((id, place) => { this.places[id] = place })
      this.rank = new Int32Array(this.count) // by place: position among the map's rows, in data set order
      this.ids.slice().sort().forEach((id, rank) => { this.rank[this.places[id]] = rank })
    }

    // The dots ordered by a hash of their rows: independent of class, and the same in every browser.
    get shuffled() {
      if (this.order) return this.order
      const keys = Float64Array.from(this.ids, (id, place) => hashed(id) * 2 ** 20 + place).sort()
      return (this.order = Int32Array.from(keys, (key) => key % 2 ** 20))
    }

    get axes() { return this.flat ? ["x", "y"] : ["x", "y", "z"] }

    // Index of a row among the dots, -1 if it is not on this map.
    placeOf(id) { return id >= 0 && id <= this.most ? this.places[id] : -1 }

    // Moves the dots to new coordinates (N, 2 or 3), rows in data set order, as sent by a running t-SNE.
    move(points) {
      const width = this.axes.length
      this.rank.forEach((row, place) => this.axes.forEach((axis, number) => { this[axis][place] = points[row * width + number] }))
      let at = 0
      for (const trace of this.traces) {
        const end = at + trace.customdata.length
        for (const axis of this.axes) trace[axis] = this[axis].slice(at, end)
        at = end
      }
    }

    // Visibility per trace: the legend can hide classes.
    shown(node) {
      const flags = new Uint8Array(this.traces.length)
      const full = node?._fullData ?? []
      this.traces.forEach((trace, number) => { flags[number] = full.find((one) => one._input === trace)?.visible === true ? 1 : 0 })
      return flags
    }

    // The visible dot nearest to (x, y) within `reach` pixels, -1 for none. `scaleX` and `scaleY` are pixels per unit.
    nearest(x, y, scaleX, scaleY, reach, shown) {
      let best = -1, least = reach * reach
      for (let place = 0; place < this.count; place++) {
        const across = (this.x[place] - x) * scaleX
        if (across > reach || across < -reach || !shown[this.trace[place]]) continue
        const down = (this.y[place] - y) * scaleY
        const squared = across * across + down * down
        if (squared <= least) { least = squared; best = place }
      }
      return best
    }

    // A bit set by rank of the visible dots inside a polygon.
    within(outline, shown) {
      const bits = new Uint8Array(Math.ceil(this.count / 8))
      let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity]
      for (let at = 0; at < outline.length; at += 2) {
        left = Math.min(left, outline[at]); right = Math.max(right, outline[at])
        low = Math.min(low, outline[at + 1]); high = Math.max(high, outline[at + 1])
      }
      for (let place = 0; place < this.count; place++) {
        const x = this.x[place], y = this.y[place]
        if (x < left || x > right || y < low || y > high || !shown[this.trace[place]]) continue
        if (MapBase.within(outline, x, y)) bits[this.rank[place] >> 3] |= 1 << (this.rank[place] & 7)
      }
      return bits
    }
  }
  return { Points }
})()
