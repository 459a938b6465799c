# Sourced by bench/run, bench/soak and bench/storm/run after tools/prepare.sh: builds who is measured.

bench=$root/build/bench
storm_version=2.8.3
driver_sources="driver.c answers.c child.c options.c ring.c"

# once FOLDER WANTED COMMAND...: makes build/bench/FOLDER anew unless it was made for the same.
once() {
    folder=$bench/$1
    wanted="$(base_python) $2"
    [ "$wanted" != "$(cat "$folder/made-for" 2>/dev/null)" ] || return 0
    echo "installing $2 into build/bench/$1"
    rm -rf "$folder"
    shift 2
    "$@"
    echo "$wanted" >"$folder/made-for"
}

# From PyPI, into the environment $folder.
from_pypi() {
    quietly "$folder.log" python3 -m venv "$folder"
    quietly "$folder.log" "$folder/bin/python" -m pip install --quiet "$@"
}

peers() {
    from_pypi pystorm simplejson
    # It needs much and is pystorm in the end: where it does not install, the rest is measured.
    # Its start-up script imports pkg_resources, which setuptools no longer has.
    if ! "$folder/bin/python" -m pip install --quiet streamparse 'setuptools<81' >>"$folder.log" 2>&1 ||
        ! "$folder/bin/streamparse_run" --help >>"$folder.log" 2>&1; then
        rm -f "$folder/bin/streamparse_run"
        echo "streamparse does not install here and is left out; why is in build/bench/peers.log"
    fi
}

# Storm's own storm.py, as its Maven artifact has it, in a Python without simplejson.
storm_py() {
    need maven
    quietly "$folder.log" python3 -m venv --without-pip "$folder"
    quietly "$folder.log" mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        "-Dartifact=org.apache.storm:multilang-python:$storm_version" "-DoutputDirectory=$folder"
    quietly "$folder.log" python3 -m zipfile -e "$folder/multilang-python-$storm_version.jar" "$folder"
    echo "$storm_version" >"$folder/version"
}

# program NAME SOURCE...: compiles a C program of this folder.
program() {
    name=$1
    shift
    (
        cd "$root/bench"
        quietly "$bench/$name.log" cc -std=c17 -O2 -Wall -Wextra -o "$bench/$name" "$@"
    )
}

# Stormcell, its peers and the C child.
children() {
    need $build_packages $venv_packages
    build
    once peers "pystorm, streamparse and simplejson" peers
    once storm.py "storm.py of Storm $storm_version" storm_py
    program floor floor.c
}
