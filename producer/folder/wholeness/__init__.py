"""Is a file a whole picture? What its format says of its end, and whether somebody still writes.

Size and time that rest say little: a copy over a network pauses for seconds, and a program may
give a file its full size first and fill it later.
"""

from producer.folder.wholeness.examination import Content, Examination, Patience, examine
from producer.folder.wholeness.writers import Writer

__all__ = ["Content", "Examination", "Patience", "Writer", "examine"]
