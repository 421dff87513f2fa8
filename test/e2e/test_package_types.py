"""Which zips are packages of Office: the same zips and Container conditions must give the same answers as
clamscan's. It scans members once more as members of a plain zip; that is left out of the comparison.
VITRINE_BUILD names the build folder (default ./build)."""
import io
import os
import re
import subprocess
import zipfile

import pytest

from oracle import REAL, WHY

OURS = os.path.join(os.environ.get("VITRINE_BUILD", "build"), "clamscan")
TYPES = ("OOXML_XL", "OOXML_WORD", "OOXML_PPT", "OOXML_HWP")
MARK = "MARKmark"
PARTS = "[Content_Types].xml"


def package(*names, sizes=(), method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i, name in enumerate(names):
            size = sizes[i] if i < len(sizes) else 0
            z.writestr(zipfile.ZipInfo(name), MARK.ljust(size, "x"), method)
    return out.getvalue()


def packages():
    yield "word", package(PARTS, "_rels/.rels", "word/document.xml")
    yield "deflated", package(PARTS, "_rels/.rels", "xl/workbook.xml", method=zipfile.ZIP_DEFLATED)
    yield "powerpoint", package(PARTS, "ppt/presentation.xml")
    yield "korean", package("mimetype", "version.xml", "Contents/content.hpf")
    yield "without_parts", package("a", "word/a")
    yield "first", package("word/document.xml", PARTS)
    yield "sheet_before_text", package(PARTS, "xl/a", "word/a")
    yield "text_before_sheet", package(PARTS, "word/a", "xl/a")
    yield "other_case", package(PARTS, "Word/a")
    yield "deeper", package(PARTS, "a/word/a")
    yield "longer", package(PARTS, "wordx/a")
    for n in (2, 3, 40):
        yield f"{n}_before", package(*(f"a{i}" for i in range(n)), "word/a")
        yield f"{n}_before_hint", package(PARTS, *(f"a{i}" for i in range(n)), "word/a")
    yield "hint_in_docprops", package("docProps/a", "a", "b", "xl/a", "word/a")
    yield "hint_in_custom_xml", package("a", "customXml/a", "b", "ppt/a")
    yield "hint_too_late", package("a", "b", "c", PARTS, "ppt/a")
    yield "hint_and_korean", package(PARTS, "a", "b", "Contents/content.hpf")
    yield "hint_far", package(PARTS, "a", "b", "xl/a", sizes=(0, 0, 90000))
    yield "hint_third_too_far", package(PARTS, "a", "b", "xl/a", sizes=(0, 30000))
    # The header behind the first member, name "a", stands at its size + 31.
    for at in (1017, 30220, 30221, 30222):
        yield f"at_{at}", package("a", "word/a", sizes=(at - 31,))
    for at in (29246, 29247):
        yield f"third_at_{at}", package("a", "b", "word/a", sizes=(at - 31 - 39,))
    yield "jar", package("META-INF/MANIFEST.MF", "a.class")
    yield "in_a_member", package("a").replace(b"MARK", b"MARKPK\3\4" + b"x" * 26 + b"xl/")
    yield "behind_junk", b"junk" + package("word/a")


def scan(program, database, folder):
    run = subprocess.run(
        [program, "-z", "--no-summary", f"--database={database}", "-r", str(folder)],
        capture_output=True, text=True, errors="replace", timeout=300, check=False,
    )
    assert run.returncode in (0, 1, 2), run.stderr
    found = {}
    for line in run.stdout.splitlines():
        hit = re.match(r"(.*): (\S+) FOUND$", line)
        if hit:
            found.setdefault(os.path.basename(hit[1]), set()).add(hit[2])
    return found


def test_packages_of_office_are_those_of_clamscan(tmp_path):
    if not REAL:
        pytest.skip(WHY)
    folder, database = tmp_path / "files", tmp_path / "types.ldb"
    folder.mkdir()
    condition = "Engine:81-255,Target:0,Container:CL_TYPE"
    database.write_text(
        "".join(f"{t};{condition}_{t};0;{MARK.encode().hex()}\n" for t in TYPES)
    )
    for name, data in packages():
        (folder / name).write_bytes(data)
    theirs = scan(REAL, database, folder)
    assert len(theirs) > 5, "clamscan found next to nothing: the test tests nothing"
    assert scan(OURS, database, folder) == theirs
