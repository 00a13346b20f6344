"""A wheel carries what comes with the product besides its packages; nexthour/packaged.py finds it there.

What else there is to say of the distribution stands in pyproject.toml.
"""

from pathlib import Path
from shutil import rmtree

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
CARRIED = ("app.py", ".streamlit/config.toml", "README.md", "docs/*.md", "scenarios/**/*.*")
"""Files, by their place in the checkout; they have the same place below nexthour/data/."""


class BuildWithData(build_py):
    """Copies the carried files into what is built; an editable install reads them in the checkout."""

    def run(self) -> None:
        """Build the packages, then add the files."""
        if not self.editable_mode:
            rmtree(self.build_lib, ignore_errors=True)  # what an earlier build left there would go along
        super().run()
        if self.editable_mode:
            return
        for file in (file for pattern in CARRIED for file in sorted(HERE.glob(pattern))):
            copy = Path(self.build_lib, "nexthour", "data", file.relative_to(HERE))
            self.mkpath(str(copy.parent))
            self.copy_file(str(file), str(copy))


setup(cmdclass={"build_py": BuildWithData})
