#!/usr/bin/env python3
"""Prints the man page of a built Sidecar: man.py EXECUTABLE

The commands and options are the argument parser's own (its --experimental-dump-help), signals and exit codes the tables
of docs/operations.md, all else docs/man/ameron-sidecar.1.in. (swift-argument-parser's generate-manual leaves out defaults
and allowed values, flows examples into the text, and has no place for what is not an option.)
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import time

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def text(plain):
    """For roff. All hyphens as the sign on the keyboard, so that what is copied from the page works."""
    escaped = plain.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^\.", "\\&.", escaped, flags=re.M)


def example(command):
    return ["Example:", ".PP", ".RS 4", ".EX", text(command), ".EE", ".RE"]


def discussion(plain):
    for paragraph in (plain or "").split("\n\n"):
        if paragraph:
            command = paragraph.removeprefix("Example: ")
            yield ".PP"
            yield from example(command) if command != paragraph else [text(paragraph.replace("\n", " "))]


def option(argument):
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])]
    tag = ", ".join(f"\\fB{text(name)}\\fR" for name in names)
    if argument["kind"] != "flag":
        tag = f"{tag} \\fI{text(argument['valueName'])}\\fR".strip()
    about = argument.get("abstract", "").removesuffix(".")
    if "allValues" in argument:
        about += f": {', '.join(argument['allValues'])}"
    if "defaultValue" in argument:
        about += f" (default: {argument['defaultValue']})"
    return [".TP", tag, text(about + ".")]


def options(command):
    """Of each option the lines that tell of it."""
    return [option(argument) for argument in command["arguments"] if argument["shouldDisplay"]]


def flat(command, prefix=""):
    """All commands with the words that name them, a command's own before it."""
    for sub in command.get("subcommands", []):
        if sub["shouldDisplay"] and sub["commandName"] != "help":
            yield prefix + sub["commandName"], sub
            yield from flat(sub, f"{prefix}{sub['commandName']} ")


def commands(root):
    common = options(root)
    serve = root["subcommands"][0]
    shared = [item for item in options(serve) if item not in common]
    for name, command in flat(root):
        yield f".SS {text(name)}"
        yield text(command["abstract"])
        yield from discussion(command.get("discussion"))
        own = [item for item in options(command) if item not in common]
        if command is not serve and all(item in own for item in shared):
            own = [item for item in own if item not in shared]
            yield from [".PP", f"Takes the options of \\fB{serve['commandName']}\\fR{', and:' if own else '.'}"]
        yield from sum(own, [])


def table(title):
    """A table of docs/operations.md, by its first heading, as tagged paragraphs."""
    rows = re.search(rf"^\| {title} \|.*\n\|-.*\n((?:\|.*\n)+)", (DOCS / "operations.md").read_text(), flags=re.M)
    if not rows:
        sys.exit(f"error: docs/operations.md has no table of the {title}s")
    for row in rows[1].splitlines():
        tag, about = (re.sub(r"`|\[(.*?)\]\(.*?\)", r"\1", cell.strip()) for cell in row.strip("|").split("|"))
        yield from [".TP", f"\\fB{text(tag)}\\fR", text(about[0].upper() + about[1:] + ".")]


def output(*arguments):
    return subprocess.run([sys.argv[1], *arguments], check=True, capture_output=True, text=True).stdout


def main():
    root = json.loads(output("--experimental-dump-help"))["command"]
    date = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), datetime.timezone.utc)
    parts = {
        "DATE": [date.strftime("%Y-%m-%d")],
        "VERSION": [output("--version").split()[1]],
        "ABSTRACT": [text(root["abstract"][0].lower() + root["abstract"][1:].removesuffix("."))],
        "OPTIONS": sum(options(root), []),
        "COMMANDS": commands(root),
        "SIGNALS": table("signal"),
        "CODES": table("exit code"),
    }
    page = (DOCS / "man" / "ameron-sidecar.1.in").read_text()
    print(re.sub("@([A-Z]+)@", lambda match: "\n".join(parts[match[1]]), page), end="")


main()
