"""Ways to write an address: those that a target may have, and those that some other program reads as the address."""

import ipaddress
from collections.abc import Iterator

FULLWIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
MATHEMATICAL = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
DOTS = {"ideographic": "。", "fullwidth": "．", "halfwidth": "｡", "percent": "%2e", "one dot leader": "․"}


def invalid_ipv4(address: ipaddress.IPv4Address) -> Iterator[tuple[str, str]]:
    """Spellings of inet_aton(3), of browsers and of IDNA. A target with one of them is a 400."""
    a, b, c, d = address.packed
    number, text = int(address), str(address)
    yield "octal parts", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield "one octal part", f"{a}.{b}.{c}.0{d:o}"
    yield "octal parts with many zeros", ".".join(f"{part:012o}" for part in address.packed)
    yield "hexadecimal parts", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"
    yield "mixed parts", f"0x{a:X}.0{b:o}.{c}.{d}"
    yield "one number", str(number)
    yield "one hexadecimal number", f"0x{number:08x}"
    yield "one octal number", f"0{number:o}"
    yield "two parts", f"{a}.{number & 0xFFFFFF}"
    yield "three parts", f"{a}.{b}.{number & 0xFFFF}"
    yield "leading zeros", ".".join(f"{part:03d}" for part in address.packed) + ("0" if min(address.packed) > 99 else "")
    yield "parts that overflow", f"{a + 256}.{b + 256}.{c + 256}.{d + 256}"
    yield "a number that overflows", str(number + (1 << 32))
    yield "a dot at the end", text + "."
    yield "a dot at the start", "." + text
    yield "two dots", text.replace(".", "..", 1)
    yield "a fifth part", text + ".0"
    for name, dot in DOTS.items():
        yield f"{name} dots", text.replace(".", dot)
    yield "fullwidth digits", text.translate(FULLWIDTH)
    yield "Arabic digits", text.translate(ARABIC)
    yield "mathematical digits", text.translate(MATHEMATICAL)
    yield "percent-encoded digits", "".join(f"%{ord(letter):02x}" for letter in text)
    yield "a percent-encoded digit", f"%{ord(text[0]):02x}" + text[1:]
    yield "a soft hyphen", text.replace(".", "\u00ad.", 1)
    yield "a zero-width space", text + "\u200b"
    yield "a sign", "+" + text
    yield "a hyphen", "-" + text
    yield "brackets", f"[{text}]"
    yield "mapped without brackets", f"::ffff:{text}"
    yield "a zone", text + "%lo"
    yield "a comma and another", text + ",8.8.8.8"
    yield from _extras(text)


def _extras(host: str) -> Iterator[tuple[str, str]]:
    """What other parsers of URLs skip, cut off or take for another part."""
    yield "user before it", "user@" + host
    yield "another host before it", "8.8.8.8@" + host
    yield "another host after it", host + "@8.8.8.8"
    yield "a password", "user:8.8.8.8@" + host
    yield "a fragment", host + "#@8.8.8.8"
    yield "a query", host + "?@8.8.8.8"
    yield "a path", host + "/"
    yield "a backslash", host + "\\@8.8.8.8"
    yield "NUL at the end", host + "\0"
    yield "NUL and another name", host + "\0.example.com"
    yield "CR LF at the end", host + "\r\n"
    yield "CR LF and a header", host + "\r\nHost: example.com"
    yield "a line feed at the start", "\n" + host
    yield "a space at the end", host + " "
    yield "a tab in the middle", host[:3] + "\t" + host[3:]
    yield "a no-break space", host + "\u00a0"


def valid_ipv6(address: ipaddress.IPv6Address) -> Iterator[tuple[str, str]]:
    """Spellings of RFC 4291, section 2.2."""
    groups = address.exploded.split(":")
    yield "compressed", f"[{address.compressed}]"
    yield "capital letters", f"[{address.compressed.upper()}]"
    yield "every digit", f"[{address.exploded}]"
    yield "no leading zeros", "[" + ":".join(f"{int(group, 16):x}" for group in groups) + "]"
    tail = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    yield "a dotted quad at the end", "[" + ":".join(groups[:6]) + f":{tail}]"
    for start in range(7):
        if groups[start] == groups[start + 1] == "0000":
            left, right = ":".join(groups[:start]), ":".join(groups[start + 2 :])
            yield f"compressed at group {start}", f"[{left}::{right}]"
            break


def invalid_ipv6(address: ipaddress.IPv6Address) -> Iterator[tuple[str, str]]:
    text = address.compressed
    groups = address.exploded.split(":")
    tail = int(address) & 0xFFFFFFFF
    yield "no brackets", text
    yield "two pairs of brackets", f"[[{text}]]"
    yield "no closing bracket", f"[{text}"
    yield "no opening bracket", f"{text}]"
    yield "a dot after the brackets", f"[{text}]."
    yield "five digits", "[" + ":".join(["0" + groups[0], *groups[1:]]) + "]"
    yield "a number at the end", "[" + ":".join(groups[:6]) + f":{tail}]"
    yield "an octal quad at the end", "[" + ":".join(groups[:6]) + f":0{tail >> 24:o}.0.0.1]"
    yield "nine groups", f"[{address.exploded}:0]"
    yield "two compressions", f"[{text}::]" if "::" in text else f"[::{text}::]"
    yield "fullwidth colons", f"[{text.replace(':', '：')}]"
    yield "percent-encoded colons", f"[{text.replace(':', '%3a')}]"
    yield "percent-encoded brackets", f"%5b{text}%5d"
    yield "a version", f"[v1.{text}]"
    yield "a prefix length", f"[{text}/128]"
    yield "an empty zone", f"[{text}%]"
    if address not in ipaddress.ip_network("fe80::/10") and not address.is_multicast:
        yield "a zone", f"[{text}%lo]"
        yield "a zone number", f"[{text}%1]"
        yield "an encoded zone", f"[{text}%25lo]"
    yield from ((name, host) for name, host in _extras(f"[{text}]") if name != "a tab in the middle")
