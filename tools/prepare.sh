# Sourced by tests/run, tests/fuzz/run, examples/run and bench/run (POSIX sh): brings about what they
# need, once, and says nothing about what is there already. Gives $root and
#   need PACKAGE...           Debian packages
#   build [PRESET [-D...]]    build/PRESET: the executables and the module, or with options of CMake
#                             everything; STORMCELL_SHIM, STORMCELL_ENGINE, STORMCELL_RUNNER and
#                             PYTHONPATH lead to them
#   venv [PIP-PACKAGE...]     $root/.venv, $python in it
# Each ends the script with a line that says what to do if it can't. A script that needs more than
# $build_packages asks for all of it at its start, so that whoever is not root reads one list.

root=$(cd "$(dirname "$0")" && pwd)
while [ ! -f "$root/tools/prepare.sh" ]; do root=$(dirname "$root"); done

build_packages="build-essential cmake ninja-build libjansson-dev python3 python3-dev"
venv_packages="python3 python3-venv"
fuzz_packages="clang libclang-rt-14-dev"

die() {
    echo "$(basename "$(dirname "$0")")/$(basename "$0"): $*" >&2
    exit 1
}

# Runs a command into the log file; shows the log's end only if the command fails.
quietly() {
    log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 && return
    tail -n 60 "$log" >&2
    die "'$*' failed; all of its output is in $log"
}

need() {
    command -v dpkg-query >/dev/null || return 0 # no Debian: whatever is missing will say so
    present=$(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null) || :
    missing=
    for package; do
        case " $present$missing " in
        *" installed:$package "* | *" $package "*) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=env
    elif sudo -n true 2>/dev/null; then
        as_root="sudo env"
    else
        die "not root; first run: sudo apt-get install$missing"
    fi
    echo "installing$missing"
    apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
    [ "${lists_are_fresh-}" ] || quietly "$root/build/apt.log" $apt update
    lists_are_fresh=1
    quietly "$root/build/apt.log" $apt install --no-install-recommends $missing
}

# The base interpreter of `python3`, as CMake and a virtual environment will find it.
base_python() {
    python3 -I -c 'import sys; print(sys.base_prefix, sys.version.split()[0])'
}

build() {
    preset=${1:-release}
    [ $# -eq 0 ] || shift
    need $build_packages
    # A build directory belongs to one Python: another one on PATH gets a new one.
    base=$(base_python)
    made_for=$(cat "$root/build/$preset/python" 2>/dev/null) || :
    [ "$base" = "$made_for" ] || rm -rf "${root:?}/build/$preset"
    targets=
    [ $# -gt 0 ] || targets="--target stormcell-shim stormcell-engine _stormcell stormcell-runner stormcell-module"
    if [ "$base" != "$made_for" ] || [ $# -gt 0 ]; then
        quietly "$root/build/$preset.log" \
            cmake -S "$root" --preset "$preset" "${@:--DSTORMCELL_TESTS=OFF}"
        echo "$base" >"$root/build/$preset/python"
    fi
    quietly "$root/build/$preset.log" cmake --build "$root/build/$preset" $targets -- --quiet
    export STORMCELL_SHIM="$root/build/$preset/stormcell-shim"
    export STORMCELL_ENGINE="$root/build/$preset/stormcell-engine"
    export STORMCELL_RUNNER="$root/build/$preset/runner"
    export PYTHONPATH="$root/pyapi:$root/build/$preset"
}

venv() {
    need $venv_packages
    base=$(base_python)
    if [ "$base" != "$(cat "$root/.venv/python" 2>/dev/null)" ]; then
        rm -rf "${root:?}/.venv"
        python3 -m venv "$root/.venv" || die "python3 -m venv failed"
        echo "$base" >"$root/.venv/python"
    fi
    python=$root/.venv/bin/python
    missing=
    for package; do
        grep -qsxF -e "$package" "$root/.venv/installed" || missing="$missing $package"
    done
    [ "$missing" ] || return 0
    echo "installing$missing into .venv"
    quietly "$root/build/pip.log" "$python" -m pip install --quiet $missing
    printf '%s\n' $missing >>"$root/.venv/installed"
}
