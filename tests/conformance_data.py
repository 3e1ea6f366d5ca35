"""Where the upstream conformance data lies; tests that need it are skipped, with a message, where it does not."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFORMANCE = Path(os.environ.get("SPYGLASS_CONFORMANCE", ROOT / "../shared/conformance")).resolve()

needs_conformance = pytest.mark.skipif(
    not CONFORMANCE.is_dir(), reason=f"no conformance data at {CONFORMANCE} (set SPYGLASS_CONFORMANCE)"
)
