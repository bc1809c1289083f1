#!/usr/bin/env bash
# Makes .venv with the locked dependencies: needs Python 3.11 and the network, and leaves
# .venv/.ready as the last step, so that an interrupted run is simply done again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "setup: $*" >&2; exit 1; }
stage() { echo "setup: $*"; }

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
            && { command -v "$name"; return; }
    done
    fail "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python make setup"
}

install_venv_module() {
    local advice="apt-get install python3-venv"
    command -v apt-get >/dev/null || fail "$1 has no venv module: install it, then try again"
    [ "$(id -u)" = 0 ] || fail "$1 has no venv module: run 'sudo $advice', then try again"
    stage "installing python3-venv"
    apt-get -qq update >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive $advice -qq -y --no-install-recommends >/dev/null 2>&1 \
        || fail "'$advice' failed: run it by hand to see why"
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module "$python"
    stage "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || fail "$python could not make .venv: see above"
}

# uv is pinned, with hashes, in the same file as everything else.
install_uv() {
    sed -n '/^uv==/,/^[^ ]/p' requirements-dev.txt | sed -n '1p; /^ /p' > .venv/uv.txt
    .venv/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r .venv/uv.txt \
        || fail "pip could not install uv: is the package index reachable?"
}

# pip is slower, but knows the machine's own index when only pip was told of it.
install_packages() {
    stage "installing the locked packages"
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.txt \
        || .venv/bin/python -m pip --quiet install --require-hashes -r requirements-dev.txt \
        || fail "the packages could not be installed: is the package index reachable?"
    .venv/bin/uv pip install --quiet --python .venv/bin/python \
        --no-deps --no-build-isolation --editable .
}

is_ready() {
    [ -x .venv/bin/python ] && [ .venv/.ready -nt requirements-dev.txt ] \
        && [ .venv/.ready -nt pyproject.toml ] && [ .venv/.ready -nt deploy/bootstrap.sh ]
}

# Two starts at once in one checkout: the second waits, then finds everything done.
if command -v flock >/dev/null; then
    exec 9<.
    flock 9
fi
is_ready && exit 0
.venv/bin/python -c 'import pip' 2>/dev/null || make_venv
install_uv
install_packages
touch .venv/.ready
