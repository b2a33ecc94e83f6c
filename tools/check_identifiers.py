"""Check that cibuildwheel would build the wheels that are promised, and no others."""

from __future__ import annotations

import subprocess
import sys

PYTHONS = ("cp311", "cp312", "cp313", "cp314", "cp314t", "cp315")
PLATFORMS = {
    "linux": (
        "x86_64,aarch64",
        (
            "manylinux_x86_64",
            "manylinux_aarch64",
            "musllinux_x86_64",
            "musllinux_aarch64",
        ),
    ),
    "macos": ("x86_64,arm64", ("macosx_x86_64", "macosx_arm64")),
    "windows": ("AMD64", ("win_amd64",)),
}


def identifiers(platform: str, archs: str) -> set[str]:
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
    result = subprocess.run(
        [*command, "--platform", platform, "--archs", archs],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def main() -> int:
    wrong = 0
    for platform, (archs, tags) in PLATFORMS.items():
        promised = {f"{python}-{tag}" for python in PYTHONS for tag in tags}
        found = identifiers(platform, archs)
        print(f"{platform}: {len(found)} wheels: {' '.join(sorted(found))}")
        for name in sorted(promised ^ found):
            wrong += 1
            print(f"  {'missing' if name in promised else 'not promised'}: {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
