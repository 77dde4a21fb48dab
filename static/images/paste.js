// Accepts images pasted or dropped anywhere on the page while this component is mounted. Elements that handle them
// themselves (uploader, map, text inputs) keep them. Requires map/base.js.
const CSS = `
.paste { display: flex; align-items: center; justify-content: space-between; gap: 8px; min-height: 32px; font: 13px/1.35 var(--st-font); color: var(--st-text-color) }
.paste span { opacity: .65 }
.paste button { flex: none; padding: 4px 10px; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); background: none; color: inherit;
  font: inherit; cursor: pointer }
.paste button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color) }
.paste button:focus-visible { outline: 2px solid var(--st-primary-color) }`
const MOST_FILES = 24
const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tif" }

class Paste {
  constructor(parent) {
    MapBase.make("style", "", parent).textContent = CSS
    const root = MapBase.make("div", "paste", parent)
    this.hint = MapBase.make("span", "", root)
    this.button = Object.assign(MapBase.make("button", "", root), { type: "button", onclick: () => this.ask() })
    this.button.hidden = !navigator.clipboard?.read
    this.listeners = { paste: (event) => this.pasted(event), dragover: (event) => this.over(event), drop: (event) => this.dropped(event) }
  }

  show(data, tell) {
    Object.assign(this, { data, tell })
    this.hint.textContent = data.said.hint
    this.button.textContent = data.said.paste
    for (const [name, listener] of Object.entries(this.listeners)) document.addEventListener(name, listener)
  }

  close() { for (const [name, listener] of Object.entries(this.listeners)) document.removeEventListener(name, listener) }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])]
    if (!files.length || event.defaultPrevented) return
    event.preventDefault()
    this.take(files, true)
  }

  over(event) { if ([...event.dataTransfer.types].includes("Files")) event.preventDefault() }

  dropped(event) {
    const files = [...event.dataTransfer.files]
    const elsewhere = event.composedPath().some((element) => element.matches?.("[data-testid=stFileUploaderDropzone], .aeviz-map"))
    if (!files.length || elsewhere) return
    event.preventDefault()
    this.take(files, false)
  }

  // Reads the clipboard on a button press, for users without a keyboard; the browser may ask for permission.
  async ask() {
    const items = await navigator.clipboard.read().catch(() => [])
    const pictures = items.flatMap((item) => item.types.filter((type) => ENDINGS[type]).slice(0, 1).map((type) => item.getType(type)))
    const blobs = await Promise.all(pictures)
    this.hint.textContent = blobs.length ? this.data.said.hint : this.data.said.nothing
    if (blobs.length) this.take(blobs, true)
  }

  // Browsers give every pasted file the same name, so use our own.
  async take(files, pasted) {
    const read = await Promise.all(files.slice(0, MOST_FILES).map(MapBase.readFile))
    const named = (file, number) => (pasted ? { ...file, name: `${this.data.said.pasted}.${ENDINGS[files[number].type] ?? "png"}` } : file)
    this.tell({ seq: Date.now(), files: read.map(named) })
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.aeviz ??= new Paste(parentElement)
  const paste = parentElement.aeviz
  paste.show(data, (files) => setTriggerValue("pasted", files))
  return () => paste.close()
}
