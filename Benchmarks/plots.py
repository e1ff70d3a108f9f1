"""The plots, as SVG: what readers look at first."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLORS = {"direct": "#999999", "nginx": "#4c9f50", "haproxy": "#7a5fa8", "envoy": "#d0743c", "go": "#4aa3b5",
          "mlserver": "#b8a04a", "off": "#9dbbe3", "file": "#2b5fa8", "kafka": "#1b3f73", "spool": "#0d1f3a"}
# The same file for the same figures: no date, no random ids.
matplotlib.rcParams.update({"svg.hashsalt": "bench", "axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False,
                            "axes.spines.right": False, "font.size": 9})


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # matplotlib ends lines of paths with blanks.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def errors(found):
    """Distances of the quartiles from the median, as matplotlib wants them."""
    return [[max(0, one["median"] - one["low"]) for one in found], [max(0, one["high"] - one["median"]) for one in found]]


def cost(found, path):
    """Bars of CPU per request, over nginx. MLServer is off the scale and said in words."""
    rows = [(name, row) for name, row in found.items() if row["to_nginx"] and name != "mlserver"]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(rows) + 1.2))
    values = [row["to_nginx"] for _, row in rows]
    medians = [one["median"] for one in values]
    axes.barh([row["label"] for _, row in rows], medians, xerr=errors(values),
              color=[COLORS.get(name, "#888888") for name, _ in rows], ecolor="#444444", height=0.65)
    for place, value in enumerate(values):
        axes.text(value["high"] + 0.03, place, f" {value['median']:.2f}", va="center")
    axes.invert_yaxis()
    axes.axvline(1, color="#4c9f50", linewidth=0.8)
    axes.set_xlim(0, max(one["high"] for one in values) * 1.12)
    axes.grid(axis="y", visible=False)
    title = "processor time per request, times nginx"
    if found.get("mlserver", {}).get("to_nginx"):
        title += f" (MLServer: {found['mlserver']['to_nginx']['median']:.0f})"
    axes.set_xlabel(title)
    save(figure, path)


def latency(found, path):
    figure, both = plt.subplots(1, 2, figsize=(10, 4))
    for axes, key in zip(both, ("p50", "p99")):
        for name, row in found.items():
            points = [point for point in row["points"] if point["kept_up"] and point[key]]
            if points:
                axes.errorbar([point["rate"] / 1000 for point in points], [point[key]["median"] for point in points],
                              yerr=errors([point[key] for point in points]), label=row["label"], marker="o",
                              markersize=3, capsize=2, color=COLORS.get(name))
        axes.set_yscale("log")
        axes.set_xlabel("offered, thousand requests/s")
        axes.set_ylabel(f"{key} from the moment due, µs")
        axes.set_xlim(left=0)
    if both[0].has_data():
        both[0].legend(fontsize=8)
    save(figure, path)


GROWTH = (("connections", "connections", True), ("body", "bytes of the request", True),
          ("rows", "rows of the answer", True), ("models", "models configured", True), ("shards", "shards", False))


def growth(scenarios, path):
    drawn = [one for one in GROWTH if scenarios.get(one[0])]
    if not drawn:
        return
    columns = min(3, len(drawn))
    lines = -(-len(drawn) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(4 * columns, 3.2 * lines), squeeze=False)
    places = [axes for line in grid for axes in line]
    for axes in places[len(drawn):]:
        axes.set_visible(False)
    for axes, (scenario, label, logarithmic) in zip(places, drawn):
        for name, row in scenarios[scenario].items():
            points = row["points"]
            axes.errorbar([point["x"] for point in points], [point["cpu_us"]["median"] for point in points],
                          yerr=errors([point["cpu_us"] for point in points]), label=row["label"], marker="o",
                          markersize=3, capsize=2, color=COLORS.get(name))
        if logarithmic:
            axes.set_xscale("log")
        else:
            axes.set_xticks([point["x"] for point in points])
        if scenario in ("body", "rows"):
            axes.set_yscale("log")
        else:
            top = max(point["cpu_us"]["high"] for row in scenarios[scenario].values() for point in row["points"])
            axes.set_ylim(0, top * 1.3)
        axes.set_xlabel(label)
        axes.set_ylabel("µs CPU per request")
        axes.legend(fontsize=7)
    save(figure, path)


def draw(scenarios, folder):
    if scenarios.get("cost"):
        cost(scenarios["cost"], folder / "cost.svg")
    if scenarios.get("curve"):
        latency(scenarios["curve"], folder / "latency.svg")
    growth(scenarios, folder / "growth.svg")
