"""Fuzzes all there is to fuzz, as many at a time as there are cores: `make fuzz`.

With a number as its argument each parser gets so many inputs. Inputs that fail are left in
outputs/fuzz.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOUND = Path("outputs/fuzz")


def fuzz(module: str, *arguments: str) -> bool:
    """Run one of them, say how it ended, and show what it said if it failed."""
    command = [sys.executable, "-m", module, *arguments, f"-artifact_prefix={FOUND}/"]
    ended = subprocess.run(
        command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, check=False
    )
    name = " ".join([module, *arguments])
    said = f"ok      {name}\n" if ended.returncode == 0 else f"{ended.stdout}\nFAILED  {name}\n"
    sys.stdout.write(said)
    sys.stdout.flush()
    return ended.returncode == 0


def main() -> int:
    FOUND.mkdir(parents=True, exist_ok=True)
    runs = [f"-runs={number}" for number in sys.argv[1:]]
    # Not imported: atheris instruments what is imported after it.
    listed = subprocess.run(
        [sys.executable, "-m", "fuzz.parsers"], stdout=subprocess.PIPE, check=True
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = [pool.submit(fuzz, "fuzz.http1_responses")]
        whole += [
            pool.submit(fuzz, "fuzz.parsers", name, *runs)
            for name in listed.stdout.decode().split()
        ]
    return 0 if all(one.result() for one in whole) else 1


if __name__ == "__main__":
    sys.exit(main())
