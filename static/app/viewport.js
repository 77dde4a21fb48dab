// Reports changes of window width to the server, so that controls can collapse on narrow windows.
// On a narrow window the menu covers the page, so it is closed after a page is chosen.
// When a training starts, the page scrolls to the top, wherever the start button was.
// Plotly dominates the time to the first map, so it is prefetched while the browser is idle.
let page = null
let begun = null
let prefetched = false

const prefetch = (address) => {
  if (window.Plotly || document.querySelector(`script[src="${address}"]`)) return
  const script = Object.assign(document.createElement("script"), { src: address, onerror: () => script.remove() })
  document.head.append(script)
}

export default function ({ data, setStateValue }) {
  const query = window.matchMedia("(max-width: 640px)")
  const tell = () => {
    if (query.matches !== Boolean(data.narrow)) setStateValue("narrow", query.matches)
  }
  query.onchange = tell
  tell()
  if (query.matches && page !== null && page !== data.page) {
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
  }
  if (data.begun && data.begun !== begun) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  if (!prefetched && !navigator.connection?.saveData) {
    prefetched = true
    const idle = window.requestIdleCallback ?? setTimeout
    setTimeout(() => idle(() => prefetch(data.plotly)), 1000)
  }
  page = data.page
  begun = data.begun
  return () => { query.onchange = null }
}
