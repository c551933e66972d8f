# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manual pages as they are written (scdoc), taken apart for the tests.

What a paragraph says is tied to the code by comments in front of it:

    ; broker/main.c: IDLE_SECONDS = 30
    ; broker/main.c: PEER_LINES_USEC / 1000000 = 10
    ; units/rgbroker@.socket: SocketMode = 0660
    ; policy/floor.c: "BUS_SMBUS, 0x50, 0x57"

The first three name a constant or setting, and its value, which stands in the paragraph too; the
last one a text that stands in the file.
"""

import re

MARK = re.compile(
    r'\s*; (?P<file>[\w./@-]+): (?:"(?P<text>.*)"|'
    r"(?P<name>\w+)(?: / (?P<divisor>\d+))? = (?P<value>\S+))$"
)
NUMBER = re.compile(r"(0x[0-9a-f]+|\d+)(?:-(0x[0-9a-f]+|\d+))?")


def runs(text):
    """[(style, text)], style being "", "bold" or "under", as scdoc has it."""
    style, run, found = "", "", []

    def change(to):
        nonlocal style, run
        if run:
            found.append((style, run))
        style, run = to, ""

    i = 0
    while i < len(text):
        c = text[i]
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if c == "\\":
            run += after
            i += 1
        elif c == "*":
            change("" if style == "bold" else "bold")
        elif c == "_" and not (before.isalnum() and after.isalnum()):
            change("" if style == "under" else "under")
        else:
            run += c
        i += 1
    change("")
    return found


def plain(text):
    return "".join(run for _, run in runs(text))


def bold(text):
    """What is printed bold."""
    return [run for style, run in runs(text) if style == "bold"]


def pattern(text):
    """The text with each placeholder (underlined) as one character."""
    return "".join("…" if style == "under" else run for style, run in runs(text))


class Paragraph:
    def __init__(self, section, marks, lines):
        self.section, self.marks = section, marks
        self.text = " ".join(line.strip().removesuffix("++") for line in lines)
        self.is_table = self.text.startswith(("|[", "[[", "]["))
        self.plain = plain(self.text)

    def numbers(self):
        """Numbers that are words of their own: not those in names, nor underlined ones, which are
        examples."""
        text = "".join(run for style, run in runs(self.text) if style != "under")
        text = re.sub(r"(?<=\w)\(\d\)", " ", text)  # rgbroker(7)
        for word in re.split(r"[\s,;()'\"]+", text):
            found = NUMBER.fullmatch(word.strip(".:"))
            if found:
                yield from (number for number in found.groups() if number)


class Page:
    def __init__(self, path):
        self.path = str(path)
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().splitlines()
        title = re.match(r"([\w@.-]+)\((\d)\)", self.lines[0])
        self.name, self.number = title[1], title[2]
        self.title = f"{self.name}({self.number})"
        self.sections, self.code_blocks, self.paragraphs, self.stray = {}, [], [], []
        self._take_apart()
        self.plain = " ".join(paragraph.plain for paragraph in self.paragraphs)

    def _take_apart(self):
        section, marks, lines, block = "", [], [], None

        def finish():
            nonlocal marks, lines
            if lines:
                self.paragraphs.append(Paragraph(section, marks, lines))
            elif marks:
                self.stray += [f"{mark[0]} stands before no paragraph" for mark in marks]
            marks, lines = [], []

        for line in self.lines[1:]:
            if line.startswith("```"):
                if block is not None:
                    self.code_blocks.append("\n".join(block) + "\n")
                block = [] if block is None else None
            elif block is not None:
                block.append(line.replace("\\\\", "\\"))
            elif line.startswith("#"):
                finish()
                section = line.lstrip("#").strip() if line.startswith("# ") else section
                self.sections.setdefault(section, [])
            elif line.lstrip().startswith("; "):
                if lines:
                    finish()
                marks.append((line.strip(), MARK.match(line)))
            elif not line.strip():
                finish()
                self.sections.setdefault(section, []).append("")
            else:
                lines.append(line)
                self.sections.setdefault(section, []).append(line)
        finish()

    def section(self, title):
        return self.sections.get(title, [])

    def definitions(self, title):
        """[(terms, body)] of a section: unindented lines, and the indented text below them."""
        found, terms, body = [], [], []
        for line in self.section(title) + [""]:
            if line.startswith("\t"):
                body.append(line.strip())
            elif not line and not body:
                terms = []  # a paragraph without anything below
            elif line:
                if body:
                    found.append((terms, " ".join(body)))
                    terms, body = [], []
                terms.append(line.removesuffix("++"))
        return found + ([(terms, " ".join(body))] if body else [])

    def terms(self, title):
        return [term for terms, _ in self.definitions(title) for term in terms]
