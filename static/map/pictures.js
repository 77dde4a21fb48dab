// Images of a run: tiles of consecutive rows with reconstructions, for the hover card, and sheets of chosen rows, for
// thumbnails.
const MapPictures = (() => {
  const MOST_SMALL = 4000
  const bitmap = (bytes) => createImageBitmap(new Blob([bytes]))

  class Pictures {
    // about: {tile, sheet: addresses, per: images per tile, shape: [C, H, W], rows: the rows on the tiles, if not all}.
    // Without `sheet`, thumbnails are cut from the tiles.
    constructor(about) {
      this.about = about
      this.places = about.rows && new Map(about.rows.map((row, place) => [row, place]))
      this.tiles = new Map()
      this.small = new Map() // row -> {picture, x, y, width, height}
    }

    // A row's index among all tiled images.
    placeOf(id) { return this.places ? this.places.get(id) : id }

    tile(id) {
      const number = Math.floor(this.placeOf(id) / this.about.per)
      const address = `${this.about.tile}/${number}`
      const found = MapBase.shelf.get(address, async (answer) => {
        const tile = MapBase.unpack(await answer.arrayBuffer())
        ;[tile.x, tile.x_hat] = await Promise.all([bitmap(tile.x), bitmap(tile.x_hat)])
        this.tiles.set(number, tile)
        return tile
      })
      found.then((tile) => this.tiles.set(number, tile), () => {})
      return found
    }

    // A row's image and reconstruction (as crops), label and error; null if its tile is not loaded.
    ready(id) {
      const tile = this.tiles.get(Math.floor(this.placeOf(id) / this.about.per))
      if (!tile) return null
      const place = this.placeOf(id) % this.about.per
      const [, height, width] = this.about.shape
      const cut = { x: (place % tile.columns) * width, y: Math.floor(place / tile.columns) * height, width, height }
      return {
        x: { picture: tile.x, ...cut }, xHat: { picture: tile.x_hat, ...cut }, label: tile.labels[place], mse: tile.mse[place],
      }
    }

    of(id) { return this.tile(id).then(() => this.ready(id)) }

    // Fetches thumbnails of these rows, except those already loaded.
    async fetch(ids) {
      const wanted = ids.filter((id) => !this.small.has(id))
      if (!wanted.length) return
      if (this.about.sheet) await this.fetchSheet(wanted)
      else await Promise.all(wanted.map(async (id) => this.small.set(id, (await this.of(id)).x)))
      for (const id of this.small.keys()) {
        if (this.small.size <= MOST_SMALL) break
        this.small.delete(id)
      }
    }

    async fetchSheet(wanted) {
      const rows = wanted.map((id) => id.toString(36)).join(".")
      const picture = await MapBase.shelf.get(`${this.about.sheet}?rows=${rows}`, async (answer) => createImageBitmap(await answer.blob()))
      const columns = Math.ceil(Math.sqrt(wanted.length))
      const width = picture.width / columns, height = picture.height / Math.ceil(wanted.length / columns)
      wanted.forEach((id, at) => {
        this.small.set(id, { picture, x: (at % columns) * width, y: Math.floor(at / columns) * height, width, height })
      })
    }
  }

  // Paints a crop on a canvas, with hard pixel edges when enlarged.
  const paint = (canvas, cut, side) => {
    const scale = side / Math.max(cut.width, cut.height)
    Object.assign(canvas, { width: Math.round(cut.width * scale), height: Math.round(cut.height * scale) })
    const context = canvas.getContext("2d")
    context.imageSmoothingEnabled = scale < 1
    context.drawImage(cut.picture, cut.x, cut.y, cut.width, cut.height, 0, 0, canvas.width, canvas.height)
  }

  return { Pictures, paint }
})()
