"""Medians and spread."""
import statistics


def summary(values):
    """Median, quartiles, and all values; None where there are none."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return {"median": statistics.median(values), "low": low, "high": high, "min": min(values), "max": max(values),
            "values": values}


def rotated(items, round_number):
    """The same items, another one first in each round, so that nobody always follows the same neighbour."""
    start = round_number % len(items) if items else 0
    return items[start:] + items[:start]
