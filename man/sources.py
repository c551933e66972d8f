# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the code says, for the tests of the manual."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
C_FOLDERS = ("protocol", "policy", "broker", "client-lib", "ctl")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def files(*patterns):
    """Names of files, from the top of the tree."""
    found = [file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()]
    return sorted(str(file.relative_to(ROOT)) for file in found)


def c_files():
    return files(*(f"{folder}/*.[ch]" for folder in C_FOLDERS))


def c_text(name):
    """Without comments, and with strings that were broken into several made one again."""
    return re.sub(r'"\s*\n\s*"', "", COMMENT.sub(" ", read(name)))


def strings(text):
    return [string.replace('\\"', '"').replace("\\n", "\n") for string in STRING.findall(text)]


def collapse(text):
    return re.sub(r"\s+", " ", text)


# --- constants ---

DEFINITION = re.compile(
    r"^#define (?P<define>\w+) (?P<number>.+)$|"
    r"^(?:static )?const \w+(?: \w+)? (?P<const>\w+) = (?P<value>[^;]+);",
    re.MULTILINE,
)
MEMBER = re.compile(r"^\s*([A-Z]\w+) = (\w+),?\s*$", re.MULTILINE)


def evaluate(text):
    """A number, of C's arithmetic; None for all else."""
    text = re.sub(r"\b(0x[0-9a-fA-F]+|[0-9.]+)(?:[uU]?[lL]*)\b", r"\1", text.strip())
    text = re.sub(r"UINT64_C\((\d+)\)", r"\1", text)
    if not re.fullmatch(r"[0-9a-fx.()*/+\- ]+", text) or not re.search(r"\d", text):
        return None
    value = eval(text)  # nothing but numbers and signs
    return int(value) if value == int(value) else value


def constants(name):
    """{NAME: number} of one file: #define and const."""
    found = {}
    for match in DEFINITION.finditer(COMMENT.sub("", read(name))):
        value = evaluate(match["number"] or match["value"])
        if value is not None:
            found[match["define"] or match["const"]] = value
    return found


def members(name):
    """{NAME: number} of all enums of a file that give their members numbers."""
    found = {key: evaluate(value) for key, value in MEMBER.findall(COMMENT.sub("", read(name)))}
    return {key: value for key, value in found.items() if value is not None}


def settings(name):
    """{KEY: value} of a unit, a door or another file of KEY=value lines; the last one counts."""
    lines = re.findall(r"^([A-Z]\w+)=(.*)$", read(name), re.MULTILINE)
    return {key: value.strip() for key, value in lines}


def value_of(name, key):
    """A constant or setting as text, or None."""
    found = constants(name) | members(name) if name.endswith((".c", ".h")) else settings(name)
    return None if key not in found else str(found[key])


# --- other things that several pages speak of ---


def member_strings(name, table):
    """The strings of an array that is initialised in a file."""
    body = re.search(rf"\b{table}\[[^=]*\] = {{(.*?)}};", c_text(name), re.DOTALL)
    return strings(body[1]) if body else []


def environment(*patterns):
    """Variables that are read there."""
    text = "".join(c_text(name) for name in files(*patterns))
    return set(re.findall(r'getenv\("(\w+)"\)', text))
