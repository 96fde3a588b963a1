"""Runs a command beside a Ray cluster of three nodes on this machine, on loopback, one CPU each.

    python tests/dispatch/three_nodes.py allot route FOLDER --out DIR --ray --workers 3

The command finds the cluster by `ALLOT_RAY_ADDRESS`. The exit code is its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

STORE_BYTES = 100 * 2**20


def node_of(_: int) -> str:
    """Return the node that a worker is on; a part of the work for the test of this cluster."""
    import ray

    time.sleep(0.05)  # so that every worker has its part of it
    return str(ray.get_runtime_context().get_node_id())


def main() -> int:
    os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}  # read as ray is imported
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        for _ in range(2):
            cluster.add_node(wait=False, **node)
        cluster.wait_for_nodes()
        environment = {**os.environ, "ALLOT_RAY_ADDRESS": cluster.address}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    sys.exit(main())
