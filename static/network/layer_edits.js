// The layers being edited, the undo history and the sync with the server. Only one edit is in flight at a time; the
// next is sent once the last is answered, so that fast typing never queues up.
const copy = (value) => JSON.parse(JSON.stringify(value))
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other)
const GROUPED = 900 // milliseconds within which edits of the same number are one undo step
const KEPT = 100 // undo steps
const TIMEOUT = 3000 // milliseconds after which an answer counts as lost

class Edits {
  past = []
  future = []
  own = null // { layers, latent }
  sent = null // id of the edit in flight
  dirty = false

  // Handles a message from the server: an answer, or layers changed elsewhere.
  receive(data, tell) {
    this.data = data
    this.tell = tell
    if (this.sent !== null && data.seq === this.sent) this.arrived()
    if (this.sent === null) this.adopt(data)
  }

  adopt({ layers, latent }) {
    const given = { layers: layers.map((layer) => this.canonical(layer)), latent }
    if (this.own && !same(given, this.own)) this.remember("form")
    this.own = given
  }

  // A layer's applicable settings only, with null for those equal to the network's defaults.
  canonical(layer) {
    const settings = { kind: layer.kind }
    for (const name of this.data.applies[layer.kind]) {
      const value = layer[name] ?? this.data.blank[name]
      settings[name] = value === this.data.usual[name] ? null : value
    }
    return settings
  }

  send() {
    this.dirty = this.sent !== null
    if (this.dirty) return
    this.sent = `${Date.now()}.${Math.random()}`
    this.timer = setTimeout(() => this.arrived(), TIMEOUT)
    this.tell("edited", { seq: this.sent, ...copy(this.own) })
  }

  arrived() {
    clearTimeout(this.timer)
    this.sent = null
    if (this.dirty) this.send()
  }

  cancel() {
    clearTimeout(this.timer)
    this.sent = null
    this.dirty = false
  }

  remember(tag) {
    const soon = tag && tag === this.tag && Date.now() - this.when < GROUPED
    Object.assign(this, { tag, when: Date.now(), future: [] })
    if (!soon) this.past = [...this.past.slice(1 - KEPT), copy(this.own)]
  }

  // Applies `change`; returns whether anything changed.
  edit(tag, change) {
    const after = copy(this.own)
    change(after)
    if (same(after, this.own)) return false
    this.remember(tag)
    this.own = after
    this.send()
    return true
  }

  travel(from, to) {
    if (!this[from].length) return false
    this[to].push(this.own)
    this.own = this[from].pop()
    this.tag = null
    this.send()
    return true
  }

  isLayer(at) {
    return at >= 1 && at <= this.own.layers.length
  }

  value(at, name) {
    return name === "latent" ? this.own.latent : this.own.layers[at - 1]?.[name] ?? this.data.usual[name]
  }

  change(at, name, value, typed) {
    return this.edit(typed && `${at}.${name}`, (own) => {
      if (name === "latent") own.latent = value
      else own.layers[at - 1] = this.canonical({ ...own.layers[at - 1], [name]: value })
    })
  }

  // Copies the layer at `at` below it; at the code row, appends a copy of the last layer.
  add(at) {
    const { layers } = this.own
    if (layers.length >= this.data.most) return null
    const place = Math.min(at, layers.length)
    const like = layers[place - 1] ?? layers[0] ?? this.canonical(this.data.blank)
    this.edit(null, (own) => own.layers.splice(place, 0, copy(like)))
    return place + 1
  }

  remove(at) {
    if (!this.isLayer(at)) return null
    this.edit(null, (own) => own.layers.splice(at - 1, 1))
    return Math.max(1, Math.min(at, this.own.layers.length))
  }

  move(at, by) {
    if (!this.isLayer(at) || !this.isLayer(at + by)) return null
    this.edit(null, (own) => own.layers.splice(at + by - 1, 0, ...own.layers.splice(at - 1, 1)))
    return at + by
  }
}
