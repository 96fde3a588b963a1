"""Results of several stories beside one another, as if each were a policy: for `allot compare` and `allot sweep`.

Replications are paired by their number; with the same seed and demand they have the same random numbers, and what
changes between the stories is all that differs. Not here: reading and running (results.py, running.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from engine.simulation.results import StoryResults


def beside(name: str, about: str, labelled: Mapping[str, StoryResults]) -> StoryResults:
    """Return one set of results whose policies are those of each story, named by its label.

    A story of one policy is its label, else `label: policy`. As many replications count as all of them have. Nodes,
    services and zones have names only where all stories have the same ones: reports then show no maps.
    """
    stories = [results.story for results in labelled.values()]
    count = min(story.replications for story in stories)
    same_about = len({story.about for story in stories}) == 1
    by_policy, told = {}, []
    for label, results in labelled.items():
        for policy in results.story.policies:
            named = label if len(results.story.policies) == 1 else f"{label}: {policy.name}"
            by_policy[named] = results.by_policy[policy.name][:count]
            alone = len(results.story.policies) == 1 and not same_about
            told.append(replace(policy, name=named, about=policy.about or (results.story.about if alone else "")))
    first = stories[0]
    alike = all(
        (story.nodes, story.services, story.zones, story.days, story.warm_up_days)
        == (first.nodes, first.services, first.zones, first.days, first.warm_up_days)
        for story in stories
    )
    inputs = {f"{label}: {file}": sha for label, one in labelled.items() for file, sha in one.story.inputs.items()}
    inputs |= {f"{label}, all of it": one.story.sha256 for label, one in labelled.items()}
    merged = replace(
        first,
        name=name,
        about=about,
        replications=count,
        policies=told,
        inputs=inputs,
        nodes=first.nodes if alike else [],
        services=first.services if alike else [],
        zones=first.zones if alike else [],
        sha256="",
    )
    return StoryResults(story=merged, by_policy=by_policy)
