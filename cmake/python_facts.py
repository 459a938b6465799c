"""Prints, as JSON, what the build must know about the Python that runs this."""
import importlib
import json
import os
import sys
import sysconfig

# Modules that live in shared objects nearly everywhere, and need symbols of the host to load.
MODULES = ('_json', '_ctypes', '_hashlib', '_ssl', '_sqlite3', '_decimal', '_datetime', 'zlib')


def config(*names: str) -> list[str]:
    return [str(sysconfig.get_config_var(name) or '') for name in names]


def base_executable() -> str:
    """The interpreter itself, where this is a virtual environment's."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    base = os.path.join(sys.base_prefix, 'bin', 'python' + config('LDVERSION')[0])
    return base if os.path.exists(base) else os.path.realpath(sys.executable)


def archive() -> str:
    """Where libpythonX.Y.a lies, if anywhere."""
    library = config('LIBRARY')[0]
    paths = [os.path.join(folder, library) for folder in config('LIBPL', 'LIBDIR')]
    return next((path for path in paths if library.endswith('.a') and os.path.exists(path)), '')


def libraries() -> list[str]:
    """What the archive itself needs: -lm, -lz and the like, each once."""
    words = ' '.join(config('LIBS', 'SYSLIBS', 'MODLIBS')).split()
    return list(dict.fromkeys(word for word in words if word.startswith('-l')))


def works(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def maps_libpython() -> bool:
    with open('/proc/self/maps', encoding='utf-8') as maps:
        return any('/libpython' in line for line in maps)


print(json.dumps({
    'executable': base_executable(),
    'version': '%d.%d.%d' % sys.version_info[:3],
    'archive': archive(),
    'libraries': ';'.join(libraries()),
    # What an embedded Python has to answer as well, to be taken for the same.
    'identity': ' '.join([sys.version, sys.base_prefix, *filter(works, MODULES)]),
    'libpython': maps_libpython(),
}))
