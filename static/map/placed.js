// Content added to the map: the user's placed images, search results, and live points of a map still being computed.
const MapPlaced = (() => {
  const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])

  class Placed extends MapTools.Tools {
    image(address) {
      const image = new Image()
      image.onload = () => this.overlay.draw()
      image.src = address
      return image
    }

    placeImages(stars) {
      this.stars = stars.map((own) => ({ ...own, image: this.image(own.picture) }))
      if (!this.flat && this.figure) this.draw()
    }

    // Coordinates of the search results; the server sends them if the dots stay there.
    found() {
      const { rows, x, y } = this.data.found
      if (x) return { x, y }
      const places = this.dots ? rows.map((id) => this.dots.placeOf(id)).filter((place) => place >= 0) : []
      const at = (axis) => places.map((place) => this.dots[axis][place])
      return { x: at("x"), y: at("y") }
    }

    // Zooms to the search results, with a margin around them; in 3-D they are ringed instead.
    goTo() {
      if (!this.node) return
      if (!this.flat) return this.draw()
      const found = this.found()
      if (!found.x.length) return
      const range = (axis) => {
        const [low, high] = ends(found[axis]), margin = Math.max((high - low) * 0.15, this.breadth(axis) * 0.06)
        return [low - margin, high + margin]
      }
      window.Plotly.relayout(this.node, { "xaxis.range": range("x"), "yaxis.range": range("y") })
    }

    // The extent of all dots along an axis; of the figure's range if it has no dots.
    breadth(axis) {
      const [low, high] = this.dots.count ? ends(this.dots[axis]) : this.figure.layout[`${axis}axis`].range
      return high - low
    }

    // Polls for the points of a map that is still being computed.
    follow(live) {
      if (live === this.live) return
      this.live = live
      this.frame = live ? this.frame : null
      const look = async () => {
        if (!live || this.live !== live || !this.root.isConnected) return
        const answer = await fetch(`${live}?after=${this.iteration ?? ""}`).catch(() => null)
        if (answer?.status === 200 && this.live === live) {
          const frame = MapBase.unpack(await answer.arrayBuffer())
          this.iteration = frame.iteration
          this.frame = frame.points
          if (this.dots && frame.points.length === this.dots.count * this.dots.axes.length) {
            this.dots.move(frame.points)
            this.outline = null
            await this.draw()
          }
        }
        setTimeout(look, 200)
      }
      look()
    }
  }

  return { Placed }
})()
