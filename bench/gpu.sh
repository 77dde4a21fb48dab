#!/usr/bin/env bash
# Everything that wants a graphics card, in one go and under six minutes: checks, speeds, maps, a page to keep.
#
#   bench/gpu.sh [FOLDER] [--device cuda|cpu] [--small] [--seconds 340] [--parts steps,runs,latent,speed,maps]
#
# PYTHON  which Python to use (else .venv's, else python3); nothing is installed into it
# WHEELS  a folder of wheels that it lacks; they are unpacked beside, without a network
# OUT     where gpu.json and gpu.md go if no folder is given (else: gpu-results)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-}
if [ -z "$python" ]; then
    python=python3
    [ -x .venv/bin/python ] && python=.venv/bin/python
fi

if [ -n "${WHEELS:-}" ]; then
    beside=$(mktemp -d)
    trap 'rm -rf "$beside"' EXIT
    for wheel in "$WHEELS"/*.whl; do # a wheel is a zip, and Python may have come without pip
        "$python" -m zipfile -e "$wheel" "$beside"
    done
    export PYTHONPATH="$beside${PYTHONPATH:+:$PYTHONPATH}"
fi

export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
"$python" -m bench.gpu "$@"
