"""The counts of a run of checks, and what its end must find: each check was answered exactly once, with its verdict."""

from collections import Counter
from dataclasses import dataclass, field

from support.soak import samples
from support.soak.cases import Case, is_prober_busy

# The share of checks that may say that connectd had no processor time, on a machine with other work.
BUSY = 0.1
# No more faults are kept: the first ones say enough.
MOST_FAULTS = 50


@dataclass
class Tally:
    """What one process of the driver sent and received; `+` adds those of several."""

    # Checks by title of their case, each with a right verdict.
    right: Counter = field(default_factory=Counter)
    # Refused requests by title, each with the right status.
    refused: Counter = field(default_factory=Counter)
    # Those of them that had no processor time, as connectd says, and how many could have said so.
    busy: int = 0
    deadlines: int = 0
    batches: int = 0
    # Checks whose client disconnected, alone and in batches. Those of a batch may have ended before.
    cancelled: int = 0
    cancelled_items: int = 0
    faults_seen: list[str] = field(default_factory=list)
    fault_count: int = 0

    def add_right(self, case: Case, result: dict) -> None:
        self.right[case.title] += 1
        self.deadlines += case.ends_at_deadline
        self.busy += case.ends_at_deadline and is_prober_busy(result)

    def add_fault(self, text: str) -> None:
        self.fault_count += 1
        if len(self.faults_seen) < MOST_FAULTS:
            self.faults_seen.append(text)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.right + other.right, self.refused + other.refused, self.busy + other.busy, self.deadlines + other.deadlines,
            self.batches + other.batches,
            self.cancelled + other.cancelled, self.cancelled_items + other.cancelled_items,
            (self.faults_seen + other.faults_seen)[:MOST_FAULTS], self.fault_count + other.fault_count,
        )  # fmt: skip

    @property
    def total(self) -> int:
        """The checks and refused requests whose answers were compared."""
        return self.right.total() + self.refused.total() + self.cancelled + self.fault_count

    def text(self) -> str:
        rows = [f"{title:<24}{count:>9}" for title, count in sorted(self.right.items())]
        rows.append(f"{'of them without time':<24}{self.busy:>9}  of {self.deadlines} that wait for a deadline")
        rows.append(f"{'malformed requests':<24}{self.refused.total():>9}  of {len(self.refused)} kinds")
        rows.append(f"{'cancelled by the client':<24}{self.cancelled:>9}  and {self.cancelled_items} in batches")
        rows.append(f"{'in all':<24}{self.total:>9}  in {self.batches} batches and single requests; {self.fault_count} wrong or lost")
        return "\n".join(rows)

    def faults(self, before: dict[str, float], after: dict[str, float]) -> list[str]:
        """The faults, and a difference between what connectd counted and what was answered."""
        found = [*self.faults_seen]
        if self.busy > BUSY * self.deadlines:
            found.append(f"{self.busy} of {self.deadlines} checks that wait for a deadline are PROBER_BUSY")
        counted, earlier = samples.checks_by_outcome(after), samples.checks_by_outcome(before)
        counts = {outcome: count - earlier.get(outcome, 0) for outcome, count in counted.items()}
        # A client that left may have done so before its check began, and an item of its batch may have ended before.
        least = sum(count for title, count in self.right.items() if title not in UNCOUNTED)
        most = least + self.cancelled + self.cancelled_items
        ran = sum(count for outcome, count in counts.items() if outcome not in ("denied", "invalid"))
        if not least <= ran <= most:
            found.append(f"connectd counted {ran} checks that ran, and {least} to {most} were asked for")
        if counts.get("internal"):
            found.append(f"{counts['internal']} checks with the outcome internal")
        return found


# Cases that end before a check runs.
UNCOUNTED = ("denied", "invalid", "name, denied")
