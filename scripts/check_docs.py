#!/usr/bin/env python3
"""Holds *.md to the tree and to the program: links and anchors lead somewhere; metrics, configuration keys, variables and
the messages of docs/troubleshooting.md exist in the sources."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
).stdout.decode().split("\0")
PAGES = sorted(ROOT / name for name in FILES if name.endswith(".md") and (ROOT / name).exists())
problems = []


def prose(page):
    """The page without its code blocks, whose text is examples."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


def anchors(page):
    titles = re.findall(r"^#+ (.*)$", prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def check_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if not other.exists():
            problems.append((page, f"{target} leads nowhere"))
        elif anchor and anchor not in anchors(other):
            problems.append((page, f"{target}: {other.name} has no such heading"))


def sources(*patterns):
    return "\n".join(path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern)))


METRICS = set(re.findall(r'"(ameron_[a-z_]+)"', sources("Sources/Gateway/Observability/*.swift")))
SCHEMA = sources("Sources/Gateway/Configuration/**/Configuration*.swift")
# Arguments of the rows: each part's stand in its own file.
KEYS = set(re.findall(r'[(,]\s*"((?:server|models|reporting|providers|log|ui)\.[A-Za-z.]+)",', SCHEMA))
SECTIONS = {key.rsplit(".", count)[0] for key in KEYS for count in range(1, key.count(".") + 1)}
VARIABLES = {re.sub(r"\.N\b|[^A-Z]", "", f"AMERON.{key}".upper()) for key in KEYS} | {"AMERONCONFIG"}
OPEN = tuple(key.removesuffix("NAME") for key in KEYS if key.endswith(".NAME"))
PROGRAM = sources("Sources/**/*.swift").replace('\\"', '"')
OTHERS = sources("Makefile", "scripts/*", "Tests/**/*.swift", ".github/workflows/*")


def check_names(page):
    text = page.read_text()
    for name in set(re.findall(r"\bameron_[a-z_]+\b", text)):
        if name not in METRICS and re.sub(r"_(bucket|sum|count)$", "", name) not in METRICS:
            problems.append((page, f"{name} is no metric"))
    for name in set(re.findall(r"`((?:server|models|reporting|providers|log|ui)\.[\w.]+)[`:=]", text)):
        key = re.sub(r"\.\d+(?=\.|$)", ".N", name)
        # Some properties of librdkafka look like keys.
        if key not in KEYS | SECTIONS and not key.startswith(OPEN) and f'"{name}"' not in PROGRAM:
            problems.append((page, f"{name} is no configuration key"))
    for name in set(re.findall(r"\bAMERON_[A-Z0-9_]+\b", text)):
        word = re.sub(r"[^A-Z]", "", name)
        if word not in VARIABLES and "PROPERTIES" not in word and name not in OTHERS:
            problems.append((page, f"{name} is no variable"))


def check_messages(page):
    """The code in the first column of each table, but for what the ellipses stand for."""
    for row in re.findall(r"^\| ([^|]*) \|", page.read_text(), flags=re.M):
        for part in [part for message in re.findall(r"`([^`]+)`", row) for part in message.split("…")]:
            if len(part.strip()) > 5 and part.strip() not in PROGRAM and not part.startswith("/"):
                problems.append((page, f"the program has no message with '{part.strip()}'"))


for page in PAGES:
    check_links(page)
    check_names(page)
check_messages(ROOT / "docs/troubleshooting.md")
for page, problem in problems:
    print(f"{page.relative_to(ROOT)}: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
