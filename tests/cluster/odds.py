"""How many misses a prover that has lost chunks gets: exact distributions, no sampling.

A link opens 16 different chunks; a proof of it opens one of the cells (compact) or, one time in 16,
all of them (full), and a full one that is missing counts 16 (docs/spec.md, 4.1, 7 and 10.4).
"""

OPENED = 16
FULL = 1 / 16
FULL_MISSES = 16


def none_lost(chunks, lost):
    """That none of the 16 chunks that a link opens is among the lost ones."""
    chance = 1.0
    for i in range(OPENED):
        chance *= max(chunks - lost - i, 0) / (chunks - i)
    return chance


def silent(chunks, lost):
    """Misses of one height, of whoever makes no link without all 16 cells: {misses: chance}."""
    good = none_lost(chunks, lost)
    return {0: good, 1: (1 - good) * (1 - FULL), FULL_MISSES: (1 - good) * FULL}


def garbage(chunks, lost):
    """The same, of whoever links what lies there in place of a lost cell."""
    good = none_lost(chunks, lost)
    one_lost = lost / chunks
    return {0: (1 - FULL) * (1 - one_lost) + FULL * good, 1: (1 - FULL) * one_lost,
            FULL_MISSES: FULL * (1 - good)}


def away():
    """The same, of whoever is not there."""
    return {1: 1 - FULL, FULL_MISSES: FULL}


def of_heights(one, heights):
    """The distribution of the sum over so many heights."""
    total = {0: 1.0}
    for _ in range(heights):
        longer = {}
        for misses, chance in total.items():
            for more, its in one.items():
                longer[misses + more] = longer.get(misses + more, 0.0) + chance * its
        total = longer
    return total


def between(one, fewest_heights, most_heights, outside=1e-6):
    """(least, most) misses, each passed by chance at most that rarely."""
    seen, least = 0.0, 0
    for misses, chance in sorted(of_heights(one, max(fewest_heights, 0)).items()):
        seen += chance
        if seen > outside:
            least = misses
            break
    seen, most = 0.0, 0
    for misses, chance in sorted(of_heights(one, max(most_heights, 0)).items(), reverse=True):
        seen += chance
        if seen > outside:
            most = misses
            break
    return least, most
