"""Entry point of the app.

The main script is in `aeviz/ui/`, because Streamlit would turn a `pages/` folder next to it into a menu of its own.
"""

if __name__ == "__main__":
    from aeviz.ui.main import main

    main()
else:
    import streamlit as st
    from starlette.middleware import Middleware

    from aeviz.ui.serve.hosts import HostGuard
    from aeviz.ui.serve.routes import routes
    from aeviz.ui.warm import lifespan

    app = st.App("aeviz/ui/main.py", lifespan=lifespan, routes=routes(), middleware=[Middleware(HostGuard)])
