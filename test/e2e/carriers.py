"""Texts and HTML that carry what signatures for targets 0, 3 and 7 are written for: the normalised form is
made first, then a text that becomes it (doc/views.md), then near misses by small edits.

As everywhere here clamscan has the last word; a carrier only has to match often."""
import base64
import dataclasses
import gzip
import string

import sigfiles

LETTERS = string.ascii_lowercase
WORDS = "the quick brown fox jumps over lazy dogs 42 times, (really) [no] = yes; why? a.b-c".split()
BLANKS = [b" ", b"\t", b"\n", b"\r\n", b"\x0c"]
DROPPED = [b"\xe9", b"\xff", b"\x80", b"\xc3\xa4", b"\x08"]


@dataclasses.dataclass
class Carrier:
    data: bytes
    start: int  # where small edits are made
    end: int


def word(rng):
    return "".join(rng.choices(LETTERS, k=rng.choice([4, 5, 6, 8])))


def phrase(rng):
    return " ".join(word(rng) for _ in range(rng.choice([1, 2, 2, 3])))


def prose(rng, n):
    return " ".join(rng.choices(WORDS, k=n))


def some_case(rng, text):
    return "".join(c.upper() if rng.random() < 0.3 else c for c in text)


def rough_bytes(rng, text, dropped):
    """Bytes whose normalised copy is the text."""
    out = bytearray()
    for c in some_case(rng, text):
        if c == " ":
            out += b"".join(rng.choices(BLANKS, k=rng.choice([1, 1, 1, 2, 4])))
        else:
            out += c.encode()
        if dropped and rng.random() < 0.05:
            out += rng.choice(DROPPED)
    return bytes(out)


def ascii_text(rng, front, core, back):
    dropped = rng.random() < 0.4
    head, mid, tail = (rough_bytes(rng, t, dropped) for t in (front, core, back))
    if rng.random() < 0.2:
        head = b"\xef\xbb\xbf" + head
    if rng.random() < 0.2:  # control bytes are looked at in the first kilobyte only
        tail += b" " + rough_bytes(rng, prose(rng, 250), False) + b"\0\1\2" * 5 + b"end"
    return Carrier(head + mid + tail, len(head), len(head) + len(mid))


def wide_text(rng, front, core, back):
    code = rng.choice(["utf-16-le", "utf-16-be"])
    mark = "\ufeff" if code == "utf-16-le" or rng.random() < 0.5 else ""
    texts = [some_case(rng, t).replace(" ", rng.choice([" ", " ", "\r\n", "\t "])) for t in (front, core, back)]
    head, mid, tail = (t.encode(code) for t in (mark + texts[0], texts[1], texts[2]))
    return Carrier(head + mid + tail, len(head), len(head) + len(mid))


def text(rng, core):
    """A text whose copy has the core behind a blank or at its start."""
    front = prose(rng, rng.choice([1, 3, 20, 200])) + " " if rng.random() < 0.8 else ""
    back = " " + prose(rng, rng.choice([1, 5, 30]))
    if rng.random() < 0.25:
        return wide_text(rng, front, core, back)
    return ascii_text(rng, front, core, back)


def entity(rng, c):
    return rng.choice([f"&#{ord(c)};", f"&#x{ord(c):x};", f"&#X{ord(c):X};", f"&#{ord(c):05};"])


def html_text(rng, core):
    """Text of HTML that reads as the core in both views."""
    out = []
    for c in some_case(rng, core):
        if c == " ":
            out.append("".join(rng.choices([" ", "\n", "\t", "\r\n"], k=rng.choice([1, 1, 2, 3]))))
        else:
            out.append(entity(rng, c) if rng.random() < 0.1 else c)
    return "".join(out)


def with_comment(rng, core):
    at = rng.randrange(len(core) + 1)
    return html_text(rng, core[:at]) + rng.choice(["<!-- no -->", "<!>", "<!--\n-->", "<!DOCTYPE x>"]) + \
        html_text(rng, core[at:])


def with_tag(rng, core):
    return html_text(rng, core).replace(" ", rng.choice(["<b>", "</i>", "<br/>", " <p class='x'> "]), 1)


def in_attribute(rng, core):
    quote = rng.choice(["'", '"'])
    tag, name = rng.choice([("a", "href"), ("img", "src"), ("p", "title"), ("input", "value")])
    value = some_case(rng, core.replace(" ", "/"))
    return f"<{some_case(rng, tag)}  {some_case(rng, name)} = {quote}{value}{quote} >x</{tag}>"


def in_script(rng, core):
    at = rng.randrange(1, len(core))
    joined = f'"{core[:at]}" + \'{core[at:]}\''
    escaped = '"' + "".join(f"\\x{ord(c):02x}" if rng.random() < 0.3 else c for c in core) + '"'
    percent = 'unescape("' + "".join(f"%{ord(c):02x}" if rng.random() < 0.5 else c for c in core) + '")'
    value = rng.choice([joined, escaped, percent, f'"{core}"'])
    return f"<script>var zz = {value}; /* c */ f( zz ) ; // x\n</script>"


def in_style(rng, core):
    return f"<style>p {{ content: '{some_case(rng, core)}' }}</style>"


def data_url(rng, data):
    kind = rng.choice(["text/plain", "application/octet-stream", "image/png", "text/html"])
    if rng.random() < 0.7 or not data.isascii() or b"\0" in data:  # the body of a mail is lines of text
        return f"data:{kind};base64," + base64.b64encode(data).decode()
    return f"data:{kind}," + "".join(f"%{b:02x}" for b in data)


def in_data_url(rng, core):
    data = core.encode()
    if rng.random() < 0.5:
        data = rng.choice([lambda d: sigfiles.zipped(d, "m"), lambda d: gzip.compress(d, mtime=0),
                           lambda d: b"\x00\x01\x02\x03" * 4 + d])(data)
    return f'<img src="{data_url(rng, data)}">'


HTML_WAYS = [html_text, html_text, with_comment, with_tag, in_attribute, in_script, in_style, in_data_url]


def html(rng, core, way=None):
    way = way or rng.choice(HTML_WAYS)
    head = rng.choice(["<html>", "<HTML>", "<html><head><title>t</title></head>", "<!doctype x><Html><body>",
                       "<!DOCTYPE x><html lang=en><Head>", "<hTml>", "<table>", "<p><a HREF=x>"])
    head += "<p>" + prose(rng, rng.choice([0, 3, 40])) + " "
    mid = way(rng, core)
    tail = " " + prose(rng, rng.choice([1, 10])) + rng.choice(["</p></body></html>\n", "", "<p>x"])
    if rng.random() < 0.1:
        code = rng.choice(["utf-16-le", "utf-16-be"])
        head, mid, tail = "\ufeff" + head, mid, tail
    else:
        code = "latin-1"
    parts = [t.encode(code) for t in (head, mid, tail)]
    return Carrier(b"".join(parts), len(parts[0]), len(parts[0]) + len(parts[1]))


def edit(rng, c, letters_only=False):
    """The same with one byte changed, added or left out where the core is."""
    places = [i for i in range(c.start, c.end) if not letters_only or chr(c.data[i]).isalpha()]
    if not places:
        return c.data
    at = rng.choice(places)
    b = c.data[at:at + 1]
    new = rng.choice([b.swapcase(), b"", b + b, bytes([rng.choice(b"qz7")]), b + b" ", b" ", b"\xe9" + b, b"7" + b])
    if letters_only:
        new = rng.choice([b.swapcase(), bytes([rng.choice(b"qz")])])
    return c.data[:at] + new + c.data[at + 1:]
