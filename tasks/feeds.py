"""RSS feeds, read from local files and kept as JSON."""

import json
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

from tasks.files import write_whole

Entry: TypeAlias = dict[str, str]


def refresh(source: str = "tasks/data/feed.xml", folder: str = "var/feeds") -> None:
    """Add the entries of the RSS file `source` that are not yet in `folder`/<name of source>.json.

    An entry is identified by its guid, or by its link where it has none. Raises OSError where
    `source` cannot be read, ElementTree.ParseError where it is not XML.
    """
    path = Path(folder) / f"{Path(source).stem}.json"
    stored = _stored(path)
    entries = _entries(Path(source).read_bytes())
    new = {key: entry for key, entry in entries.items() if key not in stored}
    # Written even with nothing new: `tasks.cleanup.old_files` removes a file that gets old.
    write_whole(path, json.dumps(stored | new, ensure_ascii=False, indent=2) + "\n")
    print(f"feed: {len(new)} new of {len(entries)} entries in {source}", flush=True)


def _stored(path: Path) -> dict[str, Entry]:
    try:
        stored: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return stored


def _entries(xml: bytes) -> dict[str, Entry]:
    entries = {}
    # The file is the project's own; for a feed from elsewhere, read it with defusedxml.
    for item in ElementTree.fromstring(xml).iter("item"):  # noqa: S314
        entry = {child.tag: (child.text or "").strip() for child in item}
        key = entry.get("guid") or entry.get("link")
        if key:
            entries[key] = entry
    return entries
