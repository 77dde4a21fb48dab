// Tells the server whether the window is narrow, so that controls can fold away there; silent on wide windows.
export default function ({ data, setStateValue }) {
  const query = window.matchMedia("(max-width: 640px)")
  const tell = () => {
    if (query.matches !== Boolean(data.narrow)) setStateValue("narrow", query.matches)
  }
  query.onchange = tell
  tell()
  return () => { query.onchange = null }
}
