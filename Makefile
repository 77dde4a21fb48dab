PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: run serve test check bench clean

run: .venv/.app
	$(BIN)/streamlit run app.py --server.port $(PORT)

serve: .venv/.app
	@test -n "$(HOST)" || { echo "which name or address do others use for this machine? make serve HOST=lab.example.org"; exit 1; }
	$(BIN)/streamlit run app.py --server.address 0.0.0.0 --server.port $(PORT) --server.headless true \
		$(foreach host,$(HOST) localhost 127.0.0.1,--server.allowedHosts $(host))

test: .venv/.test
	$(BIN)/python -m tests.browser.find
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 10 --ignore tests/browser
	$(BIN)/python -m pytest --durations 10 tests/browser

check: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

bench: .venv/.test
	$(BIN)/python -m bench

clean:
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "aeviz needs Python 3.11 or newer; say which with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.app: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

.venv/.test: requirements-test.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements-test.txt
	@touch $@ .venv/.app
