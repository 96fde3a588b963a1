"""What a story expects of its KPIs, checked against their means over replications.

Not here: reading `expect:` (engine/scenarios), exit codes (api/cli).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.scenarios.story import Expectation, Story
from engine.simulation.kpis import BY_NAME
from engine.simulation.results import StoryResults


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One bar on one policy: what it is, what there was, and by how much it was missed (0: it holds).

    `bar` is the value that the mean was compared with; `value` None: the story gave none, and the bar is missed.
    """

    kpi: str
    policy: str
    relation: str
    """`at least` or `at most`."""
    bar: float | None
    of_policy: str | None
    value: float | None
    missed_by: float
    path: str

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return self.value is not None and self.bar is not None and self.missed_by == 0.0


def check_names(story: Story) -> None:
    """Raise InvalidInput if an expectation names a KPI or policy that is not there."""
    policies = [policy.name for policy in story.policies]
    faults = []
    for number, expected in enumerate(story.expect):
        path = expected.path or f"$.expect[{number}]"
        if expected.kpi not in BY_NAME:
            faults.append(Fault(path=path, message=f"{expected.kpi!r} is no KPI; {nearest(expected.kpi, BY_NAME)}"))
        faults += [
            Fault(path=path, message=f"{name!r} is no policy of this story; {nearest(name, policies)}")
            for name in (expected.policy, expected.of_policy)
            if name is not None and name not in policies
        ]
    if faults:
        raise InvalidInput(faults)


def check(story: Story, results: StoryResults) -> list[Checked]:
    """Return what holds and what does not, in the order of the story; policies that were not simulated are left out.

    With `of_policy`, a bar is that share of the other policy's mean: `at_most: 0.95` is at least 5 % below it.
    """
    found = []
    for expected in story.expect:
        policies = [expected.policy] if expected.policy is not None else list(results.by_policy)
        for policy in policies:
            if policy in results.by_policy and (expected.of_policy or policy) in results.by_policy:
                found += _check(expected, policy, results)
    return found


def _check(expected: Expectation, policy: str, results: StoryResults) -> list[Checked]:
    if expected.of_policy == policy:
        return []
    mean = results.mean(policy, expected.kpi)
    of = results.mean(expected.of_policy, expected.kpi) if expected.of_policy is not None else None
    found = []
    for relation, share, sign in (("at least", expected.at_least, 1), ("at most", expected.at_most, -1)):
        if share is None:
            continue
        bar = share if expected.of_policy is None else None if of is None else share * of.mean
        missed = 0.0
        if mean is not None and bar is not None:
            short = sign * (bar - mean.mean)
            missed = short if short > 1e-9 * max(1.0, abs(bar)) else 0.0
        found.append(
            Checked(
                kpi=expected.kpi,
                policy=policy,
                relation=relation,
                bar=bar,
                of_policy=expected.of_policy,
                value=None if mean is None else mean.mean,
                missed_by=missed,
                path=expected.path,
            )
        )
    return found
