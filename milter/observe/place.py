"""Where an exception came from, without what it says.

The text of an exception may quote a mail; its type and the place in our code may not.
"""

from pathlib import PurePath


def place_of(error: BaseException) -> str:
    """`ExceptionType at module:line` of the innermost frame that is ours, else of the last one."""
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        name = (
            str(traceback.tb_frame.f_globals.get("__name__", "")) or PurePath(code.co_filename).stem
        )
        is_ours = name.startswith(("milter.", "nlp."))
        if is_ours or not place.startswith(("milter.", "nlp.")):
            place = f"{name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return f"{type(error).__name__} at {place}" if place else type(error).__name__
