"""Pictures of Windows PCs, of a bucket and of the folder of uploads, through a real worker."""

from __future__ import annotations

from sqlalchemy import select

from db.base import table_of
from db.session import reading
from db.tables import Inspection
from producer.contract import Reason, Verdict
from tests.acceptance.live import Live, ids_of, message
from tests.support.s3_server import s3_server
from vision.uploads import UploadStore


def test_pictures_from_anywhere_are_judged_and_others_say_why(plant: Live) -> None:
    picture = plant.picture("line 1/part.png")
    uploads = plant.pictures / "uploads"
    store = UploadStore(uploads, max_bytes=10**6, max_pixels=10**6)
    upload = store.put(picture.read_bytes())
    with s3_server("pictures") as server:
        server.client().put_object(Bucket="pictures", Key="a/part.png", Body=picture.read_bytes())
        plant.worker(
            LINEWATCH_PATH_MAP=f"C:/pics={plant.pictures};//pc-7/share=/elsewhere",
            LINEWATCH_UPLOAD_DIR=str(uploads),
            **server.environment("pictures"),
        )
        judged = [r"C:\Pics\line 1\part.png", "file:///C:/pics/line%201/part.png"]
        judged += ["s3://pictures/a/part.png", upload.uri]
        refused = {
            r"C:\pics\..\line 1\part.png": (Reason.OUTSIDE_ROOT, "LINEWATCH_PATH_MAP"),
            r"\\pc-7\share\part.png": (Reason.OUTSIDE_ROOT, "LINEWATCH_IMAGE_ROOTS"),
            "s3://secrets/a/part.png": (Reason.OUTSIDE_ROOT, "LINEWATCH_S3_BUCKETS"),
            "s3://pictures/a/nothing.png": (Reason.MISSING, "does not exist at the S3 server"),
        }
        payload = message(*judged, *refused)
        plant.enqueue(payload)
        plant.wait_for(ids_of(payload))
    table = table_of(Inspection)
    with reading(plant.engine) as connection:
        rows = {row.id: row for row in connection.execute(select(table))}
    found = [rows[id_] for id_ in ids_of(payload)]
    assert {row.verdict for row in found[:4]} == {Verdict.REVIEW}
    assert {row.image_sha256 for row in found[:4]} == {upload.sha256}
    assert found[0].image_uri == found[1].image_uri == str(picture)
    for row, (reason, words) in zip(found[4:], refused.values(), strict=True):
        assert (row.verdict, row.reason) == (Verdict.REJECTED, reason)
        assert words in row.detail
