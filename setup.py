"""Builds the native targets with CMake, for the interpreter that runs this, and packs them."""
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = os.path.dirname(os.path.abspath(__file__))

# Nothing is built in the tree: what an earlier build left there may belong to another Python.
SCRATCH = tempfile.mkdtemp(prefix='stormcell-')
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


class CMakeBuild(build_ext):
    def build_extension(self, ext: Extension) -> None:
        native = os.path.join(SCRATCH, 'native')
        installed = os.path.join(SCRATCH, 'installed')
        generator = ['-G', 'Ninja'] if shutil.which('ninja') else []
        cmake('-S', ROOT, '-B', native, *generator, f'-DPython_EXECUTABLE={sys.executable}',
              '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DSTORMCELL_LTO=ON',
              '-DSTORMCELL_PYTHON_DIR=python')
        cmake('--build', native)
        cmake('--install', native, '--prefix', installed, '--strip')
        [module] = glob.glob(os.path.join(installed, 'python', '_stormcell.*.so'))
        target = self.get_ext_fullpath(ext.name)
        self.copy_file(module, target)
        runner = os.path.join('stormcell', 'runner')
        self.mkpath(os.path.join(os.path.dirname(target), runner))
        for native in glob.glob(os.path.join(installed, 'python', runner, '*stormcell*')):
            self.copy_file(native, os.path.join(os.path.dirname(target), runner))
        # Only now is there a file to name.
        self.distribution.data_files = [
            ('bin', [os.path.join(installed, 'bin', program)
                     for program in ('stormcell-shim', 'stormcell-engine')])]


def cmake(*arguments: str) -> None:
    subprocess.run(['cmake', *arguments], check=True)


setup(
    packages=find_packages('pyapi'),
    package_dir={'': 'pyapi'},
    package_data={'': ['py.typed', '*.pyi', '*.thrift'], 'stormcell.cli': ['template/**/*'],
                  'stormcell': ['runner/start']},
    ext_modules=[Extension('_stormcell', sources=[])],
    cmdclass={'build_ext': CMakeBuild},
    # The system's own, where it has them.
    setup_requires=[tool for tool in ('cmake', 'ninja') if not shutil.which(tool)],
    options={'build': {'build_base': SCRATCH}, 'egg_info': {'egg_base': SCRATCH}},
    zip_safe=False,
)
