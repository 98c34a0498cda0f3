"""An FTP server for smart cameras that upload their pictures (Cognex, Keyence, Sick and others).

    FTP_PASSWORD=... python examples/ftp_camera.py /data/pictures --port 2121 \
        --line line-1 --camera cam-2 --product cable

Needs `pip install pyftpdlib`. A picture is uploaded into `.incoming`, and moved beside it when it
is all there, under a name of its own: a camera that writes each part to one name loses none. From
there it is watched as any folder: what was moved is handed over once, restarts included.

FTP does not say how long a file is. Where only the connection of the data ends too early, a piece
looks like a whole upload to every server: it is handed over, late and with a warning, and a worker
rejects it as `corrupt`.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from linewatch import Camera
from producer.watch import FolderWatch

MOST_BYTES = 64 * 1024 * 1024


class Upload(FTPHandler):  # type: ignore[misc]
    """One camera's connection; `pictures` is set before the server starts."""

    pictures: Path

    def on_file_received(self, file: str) -> None:
        """A picture is all there: move it to where it is watched."""
        move(Path(file), self.pictures)

    def on_incomplete_file_received(self, file: str) -> None:
        """The connection broke: the camera must send it again, and this piece is no picture."""
        self.log(f"upload of {file} was cut off")
        Path(file).unlink(missing_ok=True)


def move(file: Path, pictures: Path) -> None:
    """Under a name of its own, in one step, so that nobody reads half of it."""
    if file.stat().st_size > MOST_BYTES:
        file.unlink()
        return
    file.replace(pictures / f"{time.time_ns()}-{file.name}")


def main() -> None:
    """Serve and watch until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="beneath one of the workers' image roots")
    parser.add_argument("--address", default="127.0.0.1", help="of the cameras' network alone")
    parser.add_argument("--port", type=int, default=2121)
    for name in ("line", "camera", "product"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    incoming = given.folder / ".incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    for left in incoming.iterdir():  # this program ended between an upload and its move
        move(left, given.folder)

    authorizer = DummyAuthorizer()
    # To create and append, and nothing else: no camera reads or deletes another's pictures.
    authorizer.add_user("camera", os.environ["FTP_PASSWORD"], str(incoming), perm="ew")
    Upload.authorizer, Upload.pictures = authorizer, given.folder
    server = ThreadedFTPServer((given.address, given.port), Upload)
    server.max_cons = 32
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    serving = threading.Thread(
        target=server.serve_forever, kwargs={"handle_exit": False}, daemon=True
    )
    serving.start()
    print("listening on port", server.address[1], flush=True)
    with Camera(given.line, given.camera, given.product) as camera:
        FolderWatch(
            given.folder, camera, on_accepted=lambda one: print("took", one.path.name, flush=True)
        ).run(stop)
    server.close_all()


if __name__ == "__main__":
    main()
