"""What each Dockerfile is made from, and that it copies all of ours that its service imports."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.processes import PATIENCE_S

ROOT = Path(__file__).parents[2]
# By Dockerfile: what its container runs, and what its operator may.
IMPORTED = {
    "gateway": ["gateway.app", "racro.cli.keys", "racro.cli.cache", "racro.cli.doctor"],
    "services/captioner": ["services.captioner.app"],
    "services/reasoner": ["services.reasoner.app"],
}


def lay_out(dockerfile: Path, folder: Path) -> None:
    """The files under /app, as its COPY instructions put them there."""
    for line in dockerfile.read_text().splitlines():
        match line.split():
            case ["COPY", "--chown=10001", *sources, target]:
                place = folder / target.removeprefix("/app/")
                for source in [path for pattern in sources for path in ROOT.glob(pattern)]:
                    copy(source, place, keep_name=target.endswith("/"))


def copy(source: Path, place: Path, *, keep_name: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__", "recipe"))
    else:
        (place if keep_name else place.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)


@pytest.mark.parametrize("image", IMPORTED)
def test_an_image_has_all_that_it_imports(image: str, tmp_path: Path) -> None:
    lay_out(ROOT / image / "Dockerfile", tmp_path)
    imports = "; ".join(f"import {name}" for name in IMPORTED[image])
    # The folder that it runs in comes first on the path.
    ended = subprocess.run(
        [sys.executable, "-c", imports],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def digest_of(image: str) -> str:
    found = re.fullmatch(r"[a-z]+:[\w.-]+@sha256:([0-9a-f]{64})", image)
    assert found, f"{image}: no digest"
    return found[1]


def test_our_images_have_one_base_by_its_digest() -> None:
    digests = set()
    for image in IMPORTED:
        lines = (ROOT / image / "Dockerfile").read_text().splitlines()
        [base] = [line for line in lines if line.startswith("ARG PYTHON_IMAGE=")]
        digests.add(digest_of(base.partition("=")[2]))
        stages = [line.split()[1] for line in lines if line.startswith("FROM ")]
        assert stages == ["${PYTHON_IMAGE}"] * 2
    assert len(digests) == 1


def test_redis_is_the_same_in_compose_and_chart_by_its_digest() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    [default] = re.findall(r"^\$\{REDIS_IMAGE:-(.*)\}$", compose["services"]["redis"]["image"])
    chart = yaml.safe_load((ROOT / "deploy/helm/racro/values.yaml").read_text())
    assert digest_of(default) == digest_of(chart["images"]["redis"])


def test_every_dockerfile_is_tried() -> None:
    own = {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/Dockerfile")}
    own |= {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("services/*/Dockerfile")}
    assert own == {*IMPORTED}
