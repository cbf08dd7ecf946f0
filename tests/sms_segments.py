"""Says how smpplib encodes and cuts texts.

Reads JSON from standard input: a list of texts. Prints a list with, for each, the encoding, the units, the parts that
smpplib makes, whether one of its cuts goes through a character, and the parts there would be without such cuts.
"""

import json
import sys

from smpplib import consts, gsm


def judge(text: str) -> dict:
    parts, coding, _ = gsm.make_parts(text, use_udhi=False)
    seven = coding == consts.SMPP_ENCODING_DEFAULT
    unit = 1 if seven else 2
    encode, single, part = gsm.ENCODINGS[coding]
    widths = [len(encode(character)) for character in text]
    ends, end = set(), 0
    for width in widths:
        end += width
        ends.add(end)
    cuts = range(part, end, part) if end > single else []
    return {
        "encoding": "GSM7" if seven else "UCS2",
        "units": sum(map(len, parts)) // unit,
        "parts": len(parts),
        "cut_through": any(cut not in ends for cut in cuts),
        "whole_parts": whole_parts(widths, single, part),
    }


def whole_parts(widths: list, single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    count, room = 0, 0
    for width in widths:
        if width > room:
            count, room = count + 1, part
        room -= width
    return count


print(json.dumps([judge(text) for text in json.load(sys.stdin.buffer)]))
