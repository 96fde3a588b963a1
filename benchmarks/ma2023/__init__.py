"""The experiment of Ma (2023): its world, the policies of the literature, and ours."""
