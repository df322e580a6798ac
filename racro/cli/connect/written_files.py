"""Changes of a person's files: whole, with a backup beside them that brings them back.

A backup is `<name>.racro-<date>-<digest>.bak`, or `.new` where there was no file. The digest is
that of what was written, so that a file that was changed since is known. A link stays one: what it
leads to is changed, and has the backup beside it.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from racro.base.atomic import replacing
from racro.cli.connect.client_settings import SettingsFile
from racro.cli.connect.merging import NotMergeableError, merged

# Settings are some KiB.
_MOST_BYTES = 4 * 2**20
_NEW_FILE_MODE = 0o600
_DIGEST_CHARACTERS = 16
_BACKUP = re.compile(r"\.racro-(?P<date>\d{8}-\d{6}-\d{6})-(?P<digest>[0-9a-f]{16})\.(bak|new)")


class FileError(Exception):
    """A file cannot be read, merged into, written or brought back; the message names it."""


@dataclass(frozen=True)
class Change:
    """A file, by its real path, and its contents before and after. None: no file."""

    path: Path
    before: bytes | None
    after: bytes | None
    mode: int = _NEW_FILE_MODE
    # The backup that this change makes, or that it brings back and removes.
    backup: Path | None = None


def planned(file: SettingsFile) -> Change:
    """Returns what merging the wanted settings into the file changes. Raises FileError."""
    path = _real(file.path)
    before = _read(path)
    try:
        text = (before or b"").decode()
        after = merged(file.kind, text, file.wanted).encode()
    except UnicodeError as error:
        raise FileError(f"{file.path} is not UTF-8") from error
    except NotMergeableError as error:
        raise FileError(f"{file.path} {error}") from error
    return Change(path, before, after, _mode(path))


def write(changes: Sequence[Change], now: datetime) -> list[Change]:
    """Writes the files that change, all or none, each after its backup; returns these changes.

    Raises FileError.
    """
    done: list[Change] = []
    for change in changes:
        if change.before == change.after:
            continue
        try:
            done.append(_written(change, now))
        except (OSError, FileError) as error:
            for one in reversed(done):
                bring_back(Change(one.path, one.after, one.before, one.mode, one.backup))
            raise _as_file_error(change.path, "written", error) from error
    return done


def last_written(paths: Sequence[Path], *, force: bool) -> list[Change]:
    """Returns what brings back the files that the last write changed; none: nothing was written.

    Raises FileError for a file that was changed since, unless `force`.
    """
    found = [(date, path, backup) for path in map(_real, paths) for date, backup in _backups(path)]
    last = max((date for date, _, _ in found), default="")
    return [_undone(path, backup, force=force) for date, path, backup in found if date == last]


def bring_back(change: Change) -> None:
    """Writes what an undo changes, and removes the backup. Raises FileError."""
    try:
        if change.after is None:
            change.path.unlink(missing_ok=True)
        else:
            _replace(change.path, change.after, change.mode)
        if change.backup is not None:
            change.backup.unlink(missing_ok=True)
    except OSError as error:
        raise _as_file_error(change.path, "written", error) from error


def _written(change: Change, now: datetime) -> Change:
    """Writes the backup, then the file."""
    if _read(change.path) != change.before:
        raise FileError(f"{change.path} was changed meanwhile: try again")
    after = change.after or b""
    change.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind = "new" if change.before is None else "bak"
    date = f"{now:%Y%m%d-%H%M%S-%f}"
    backup = change.path.with_name(f"{change.path.name}.racro-{date}-{_digest(after)}.{kind}")
    try:
        _replace(backup, change.before or b"", change.mode)
        _replace(change.path, after, change.mode)
    except OSError:
        with suppress(OSError):
            backup.unlink(missing_ok=True)
        raise
    return Change(change.path, change.before, after, change.mode, backup)


def _undone(path: Path, backup: Path, *, force: bool) -> Change:
    name = _BACKUP.fullmatch(backup.name.removeprefix(path.name))
    now = _read(path)
    if not force and (now is None or name is None or _digest(now) != name["digest"]):
        raise FileError(
            f"{path} was changed since it was written: --force brings {backup.name} back all the "
            "same, and what was changed since is lost"
        )
    before = None if backup.suffix == ".new" else _read(backup)
    return Change(path, now, before, _mode(backup), backup)


def _backups(path: Path) -> Iterator[tuple[str, Path]]:
    """Yields the dates and the paths of the backups of a file."""
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names are all that is needed
    except OSError:
        return
    for name in names:
        if name.startswith(path.name) and (found := _BACKUP.fullmatch(name, len(path.name))):
            yield found["date"], path.with_name(name)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise FileError(f"{path} is a link that leads to itself") from error


def _read(path: Path) -> bytes | None:
    """Returns the contents of a file, None where there is none. Raises FileError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _as_file_error(path, "read", error) from error
    if len(data) > _MOST_BYTES:
        raise FileError(f"{path} has more than {_MOST_BYTES // 2**20} MiB: no settings?")
    return data


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return _NEW_FILE_MODE


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Writes a file whole or not at all; nobody else reads it before it has its mode."""
    with replacing(path) as unfinished:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=_NEW_FILE_MODE, exist_ok=False)
        unfinished.write_bytes(data)
        unfinished.chmod(mode)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGEST_CHARACTERS]


def _as_file_error(path: Path, done: str, error: OSError | FileError) -> FileError:
    if isinstance(error, FileError):
        return error
    return FileError(f"{path} cannot be {done}: {error.strerror or error}")
