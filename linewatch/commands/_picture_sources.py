"""What pictures a command is given: files, folders, and objects of an S3 server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from linewatch.errors import SubmissionError
from producer.names import PictureNames, pictures_in
from producer.submission import OBJECT


def picture_sources(words: Sequence[str]) -> list[Path | str]:
    """Every picture that the words stand for, in their order; an object as its `s3://` URI.

    Objects are not looked at: this machine may not even be allowed to read them.

    Raises:
        SubmissionError: a file, folder or scheme is not there, or an object is not named whole.
    """
    wrong = [problem for word in words if (problem := _problem(word))]
    missing = [word for word in words if "://" not in word and not Path(word).exists()]
    if missing:
        wrong.append(f"no such file or folder: {', '.join(missing)}")
    if wrong:
        raise SubmissionError(f"nothing was submitted: {'; '.join(wrong)}")
    found: list[Path | str] = []
    for word in words:
        found += [word] if word.startswith(OBJECT) else pictures_in((Path(word),), PictureNames())
    if not found:
        raise SubmissionError(f"there are no pictures in {', '.join(words)}")
    return found


def _problem(word: str) -> str | None:
    if word.startswith(OBJECT):
        bucket, _, key = word.removeprefix(OBJECT).partition("/")
        whole = bucket and key and not key.endswith("/")
        advice = f"name each as {OBJECT}bucket/key, for buckets are not listed"
        return None if whole else f"{word} names no object; {advice}"
    if "://" in word:
        return f"{word}: pictures are handed over as files, folders or {OBJECT}bucket/key"
    return None
