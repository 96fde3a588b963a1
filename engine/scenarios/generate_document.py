"""What stands under `generate:`: patterns of demand, and what a world that is drawn has.

Not here: drawing it (generating.py), the patterns (patterns.py).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from engine.integrations.synthetic_geography import DEFAULT_KINDS
from engine.network.document import NodeKind
from engine.scenarios.patterns import PatternFields, PatternsDocument, PlaceDocument

File = Annotated[str, Field(min_length=1, max_length=500, description="A path from the folder of this file.")]
InFile = Annotated[File, Tag("<file>")]


def list_or_file(value: Any) -> str:
    """Return which member of a union of a file's name and a list a value is of; faults leave it out of their place."""
    return "<file>" if isinstance(value, str) else "<list>"


PlacesOrFile = Annotated[
    InFile | Annotated[tuple[PlaceDocument, ...], Field(min_length=1), Tag("<list>")], Discriminator(list_or_file)
]


class GenerateDocument(PatternFields):
    """Orders that are drawn; with `nodes` and `skus` the whole world is: the same seed gives the same one."""

    places: PlacesOrFile | None = Field(
        default=None, description="Where orders go; null: the postal codes of the network, or the towns of a drawn one."
    )

    nodes: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="How many; null: the world is written out, or in files."
    )
    skus: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(default=None, description="How many, with `nodes`.")
    kinds: Annotated[dict[NodeKind, Annotated[float, Field(ge=0, le=10**6)]], Field(min_length=1)] = Field(
        default_factory=lambda: dict(DEFAULT_KINDS),  # type: ignore[arg-type]
        description="Proportions of kinds of nodes; the first has one at least.",
    )
    nodes_per_sku: Annotated[float, Field(ge=1, le=1_000)] = Field(
        default=6.5, description="At how many nodes a product lies, on average."
    )
    cover_days: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="Days of demand in stock as the story begins; null: all of its days, and two."
    )
    capacity_share: Annotated[float, Field(gt=0, le=1_000)] | None = Field(
        default=1.5, description="A day's capacity over the load of a usual day; null: unlimited."
    )
    world_seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        default=1, description="Of nodes, products and stock; demand is drawn with the story's own seed."
    )

    @model_validator(mode="after")
    def _whole_world(self) -> GenerateDocument:
        if (self.nodes is None) != (self.skus is None):
            raise ValueError("a world has nodes and skus; give both, or neither to draw orders only")
        if sum(self.kinds.values()) <= 0:
            raise ValueError("kinds have no share above 0; give at least one")
        return self

    def patterns(self) -> PatternsDocument:
        """Return the patterns of demand alone."""
        fields = {name: getattr(self, name) for name in PatternFields.model_fields}
        return PatternsDocument.model_construct(
            _fields_set=self.model_fields_set & set(PatternsDocument.model_fields),
            **fields,
            places=None if isinstance(self.places, str) else self.places,
            places_file=self.places if isinstance(self.places, str) else None,
        )
