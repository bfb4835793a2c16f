"""The files under DATA_DIR, looked at from outside: index rows and bytes."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path


class Store:
    def __init__(self, folder: Path):
        self.folder = Path(folder)

    @property
    def index(self) -> Path:
        return self.folder / "index.sqlite"

    def query(self, sql: str, *arguments) -> list:
        if self.folder.parts[1] != "proc":
            return self._ask(f"file:{self.index}?mode=ro", sql, arguments)
        # In another mount namespace: SQLite resolves the path and would look outside of it, so it gets a copy.
        with tempfile.TemporaryDirectory() as copy:
            for suffix in ("", "-wal"):
                source = self.index.with_name(self.index.name + suffix)
                if source.exists():
                    shutil.copyfile(source, Path(copy) / source.name)
            return self._ask(f"file:{copy}/{self.index.name}", sql, arguments)

    @staticmethod
    def _ask(uri: str, sql: str, arguments: tuple) -> list:
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, arguments).fetchall()

    def row(self, id: str):
        rows = self.query("SELECT * FROM upload WHERE id = ?", id)
        return rows[0] if rows else None

    def rows(self) -> int:
        return self.query("SELECT count(*) FROM upload")[0][0]

    def ids(self) -> set:
        return {row[0] for row in self.query("SELECT id FROM upload")}

    def ids_with_bytes(self) -> set:
        return {row[0] for row in self.query("SELECT id FROM upload WHERE blob_due IS NOT NULL")}

    def files(self, part: str = "u") -> dict:
        """Name → size of every file below `part`."""
        found = {}
        root = self.folder / part
        for path in sorted(root.rglob("*")) if root.exists() else ():
            try:
                if path.is_file():
                    found[str(path.relative_to(root))] = path.stat().st_size
            except FileNotFoundError:  # gone between the listing and the look
                pass
        return found

    def path(self, id: str) -> Path:
        return self.folder / "u" / id[:4] / id

    def snapshot(self) -> tuple:
        """What "nothing stored" compares: rows and files."""
        return self.rows(), tuple(self.files("u").items()), tuple(self.files("tmp").items())
