# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For scripts that have lib.sh and look into what rgbrokerctl --json has printed into $output. One Python serves
# them all: to start one for each question takes an emulated machine longer than the question.

coproc python3 -uc '
import json, sys

def answer(expression, text):
    try:
        o = json.loads(text)
        names = {"o": o}
        if "entries" in o:
            names["e"] = o["entries"]
            names["f"] = [x for x in o["entries"] if x["severity"] == "finding"]
        return str(eval(expression.strip(), names))
    except Exception as error:
        return repr(error)

def parts():
    rest = ""
    for line in sys.stdin:
        *whole, rest = (rest + line).split("\0")
        yield from whole

asked = parts()
for expression in asked:
    print(answer(expression, next(asked)), end="\0")
'
# a subshell has no coprocess, but it has descriptors
exec {json_answers}<&"${COPROC[0]}" {json_questions}>&"${COPROC[1]}"

# json EXPRESSION: of the object "o" in $output; of what audit says, also of its entries "e" and the findings
# among them "f"
json()
{
    local answer
    # Python reads whole lines
    # shellcheck disable=SC2154 # the script's
    printf '%s\0%s\0\n' "$1" "$output" >&"$json_questions"
    IFS= read -r -d '' answer <&"$json_answers"
    printf '%s\n' "$answer"
}
