#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The code blocks of README.md, SECURITY.md, CONTRIBUTING.md, docs/*.md and devices/*.md, each of which is tested.

What stands behind the language of a fenced block says what it is (a forge shows the language alone):

    ```sh root             typed by root, in a guest of tests/vm; all commands must succeed
    ```sh ada              typed by ada, a user with a home
    ```sh ada fails        the last command must fail
    ```LANGUAGE file=PATH  saved so, by root if PATH is absolute, else by ada in her home
    ```text output         what the block typed before prints (see SAME for what may differ)
    ```text map            drawn anew by a script in a guest
    ```sh checkout         typed in a checkout; ./check and ./demo themselves, or what ./check runs
    ```text picture        a drawing; not tested

The first four and "map" are claimed by a script of tests/vm/guest-scripts, whose head names its documents
("# documents: docs/off.md"), by a line that names the kind and a piece of text that one such block alone has:

    block root 'systemctl mask'

Each is claimed once, and the claims stand in the order of the blocks.

    documents.py test ROOT                 whether all of this holds, as TAP
    documents.py block FILE KIND TEXT      that block: its path or nothing in the first line, then its lines
    documents.py same EXPECTED GOT         whether two files hold the same output; tells where not
"""

import pathlib
import re
import sys

DOCUMENTS = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/*.md", "devices/*.md"]
SCRIPTS = "tests/vm/guest-scripts/*.sh"
KINDS = ["root", "root fails", "ada", "ada fails", "file", "output", "map"]

# What may differ between two runs; and a line "..." stands for any lines.
SAME = [
    (r"([pu]id|process) \d+", r"\1 N"),
    (r"\[\d+\]", "[N]"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME"),
    (r"[ \t]+$", ""),
]


class Block:
    def __init__(self, where, information):
        self.where, self.lines, self.path = where, [], ""
        words = information.split()[1:]
        if len(words) == 1 and words[0].startswith("file="):
            self.kind, self.path = "file", words[0][len("file="):]
        else:
            self.kind = " ".join(words)

    def text(self):
        return "".join(line + "\n" for line in self.lines)


def blocks_of(path):
    """The blocks of a document, and the lines that are a block in another form."""
    blocks, stray, fence = [], [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if fence is None and re.match(r" *(```|~~~)", line):
            fence = line[: len(line) - len(line.lstrip())]
            blocks.append(Block(f"{path}:{number}", line.strip().lstrip("`~")))
        elif fence is not None and line.strip() in ("```", "~~~"):
            fence = None
        elif fence is not None:
            blocks[-1].lines.append(line.removeprefix(fence))
        elif re.match(r"(    |\t)", line):
            stray.append(f"{path}:{number}")
    if fence is not None:
        stray.append(f"{blocks[-1].where}: has no end")
    return blocks, stray


def matching(blocks, kind, text):
    return [block for block in blocks if block.kind == kind and text in block.text()]


# ---- whether all blocks are tested ----


def claims_of(script):
    """[(line, kind, text)], and the documents its head names"""
    text = script.read_text(encoding="utf-8")
    named = re.search(r"^# documents: *(.*)$", text, re.MULTILINE)
    claims = [
        (f"{script}:{text.count(chr(10), 0, found.start()) + 1}", found[1].replace("_", " "), found[2])
        for found in re.finditer(r"^ *block (\w+) '([^']*)'", text, re.MULTILINE)
    ]
    return claims, named[1].split() if named else []


def checkout_mistakes(root, block):
    """What it says to type is there, and is run by ./check or is itself run by people alone."""
    rings = set(re.findall(r"^ring_(\w+)", (root / "check").read_text(encoding="utf-8"), re.MULTILINE))
    said = (root / "check").read_text(encoding="utf-8")
    for line in block.lines:
        command, *arguments = line.split("#")[0].split() or [""]
        path = command.removeprefix("./")
        if not command:
            continue
        if not (root / path).is_file() or not (root / path).stat().st_mode & 0o100:
            yield f"{block.where}: {command} is not there to be run"
        elif path == "check" and not rings >= set(arguments):
            yield f"{block.where}: not all of these are rings: {' '.join(arguments)}"
        elif path not in ("check", "demo") and path not in said:
            yield f"{block.where}: ./check does not run {command}"


def script_mistakes(root, script, documents, claimed):
    claims, named = claims_of(script)
    if claims and not named:
        yield f"{script}: has claims and names no document"
    at = {}
    for name in named:
        if name not in documents:
            yield f"{script}: {name} is not there, or has no blocks to be claimed"
        elif not claims:
            yield f"{script}: names {name} and claims nothing"
    for where, kind, text in claims:
        found = [block for name in named for block in matching(documents.get(name, []), kind, text)]
        if len(found) != 1:
            yield f"{where}: {len(found)} blocks '{kind}' have the text {text}"
            continue
        document, number = found[0].where.rsplit(":", 1)
        if found[0] in claimed:
            yield f"{where}: {found[0].where} is claimed already"
        if int(number) < at.get(document, 0):
            yield f"{where}: {found[0].where} stands before what is claimed before it"
        at[document] = int(number)
        claimed.append(found[0])


def mistakes(root):
    documents, claimed = {}, []
    paths = sorted(path for pattern in DOCUMENTS for path in root.glob(pattern))
    for path in paths:
        blocks, stray = blocks_of(path)
        yield from (f"{where}: a block that is indented; fence it" for where in stray)
        for before, block in zip([None, *blocks], blocks):
            if block.kind == "checkout":
                yield from checkout_mistakes(root, block)
            elif block.kind not in [*KINDS, "picture"]:
                yield f"{block.where}: '{block.kind}' is no kind of block"
            if block.kind == "output" and (before is None or before.kind not in KINDS[:4]):
                yield f"{block.where}: no block is typed before this output"
        documents[str(path.relative_to(root))] = [block for block in blocks if block.kind in KINDS]
    for script in sorted(root.glob(SCRIPTS)):
        yield from script_mistakes(root, script, documents, claimed)
    for blocks in documents.values():
        yield from (f"{block.where}: no script claims it" for block in blocks if block not in claimed)
    if not claimed:
        yield "no block at all is claimed"


def test(root):
    found = list(mistakes(pathlib.Path(root)))
    for mistake in found:
        print(f"# {mistake}")
    print(f"{'not ok' if found else 'ok'} 1 - every block of the documents is tested, every claim has a block\n1..1")
    return bool(found)


# ---- for the scripts in guests ----


def block(path, kind, text):
    (found,) = matching(blocks_of(pathlib.Path(path))[0], kind, text)
    print(found.path)
    print(found.text(), end="")
    return 0


def normal(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for pattern, same in SAME:
        text = re.sub(pattern, same, text, flags=re.MULTILINE)
    return text.rstrip("\n").split("\n")


def matches(expected, got):
    """Whether the lines are these; "..." among the expected ones stands for any."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(matches(expected[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and expected[0] == got[0] and matches(expected[1:], got[1:])


def same(expected, got):
    expected, got = normal(expected), normal(got)
    if matches(expected, got):
        return 0
    print("\n".join(["the document has:", *expected, "what comes is:", *got]))
    return 1


if __name__ == "__main__":
    sys.exit({"test": test, "block": block, "same": same}[sys.argv[1]](*sys.argv[2:]))
