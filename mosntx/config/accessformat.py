"""The syntax of access log formats (MOSN pkg/log/accesslog.go)."""

from __future__ import annotations


def checkFormat(text: str) -> str:
    """What is wrong with a format, or "".

    ``%name%`` is a variable, a percent sign after a backslash is text, everything else is text.
    """
    inside = False
    start = 0
    for index, character in enumerate(text):
        if character != "%" or (index and text[index - 1] == "\\"):
            continue
        if inside and index == start:
            return "empty variable definition: '%%' without a name"
        inside = not inside
        start = index + 1
    if inside:
        return f"unclosed variable: no '%' after '%{text[start : start + 20]}'"
    return ""
