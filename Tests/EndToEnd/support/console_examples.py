"""Commands with their output, as documents show them in console blocks."""

import re


def examples(text: str) -> list[tuple[str, str]]:
    """Commands after `$ ` in console blocks, with the output below them."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.split("\n")
            count = 1
            while lines[count - 1].endswith("\\"):
                count += 1
            found.append(("\n".join(lines[:count]), "\n".join(lines[count:]).strip("\n")))
    return found
