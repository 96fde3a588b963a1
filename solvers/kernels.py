"""How kernels that only kernels call are compiled: without the wrappers by which Python and C would call them.

Kernels that Python calls are decorated by `@njit(cache=True, nogil=True)`, where they are.
"""

from __future__ import annotations

from typing import Any

from numba.extending import overload

_OPTIONS: Any = {"cache": True, "nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inner(function: Any) -> Any:
    """Compile a function for the kernels that call it, once for each set of types; for Python it stays as it is.

    A wrapper unpacks every array of the tables that a kernel is handed: they took a third of the time to compile all.
    Constants among the arguments are types of their own, as they are to `njit`.
    """

    @overload(function, jit_options=_OPTIONS, strict=False, prefer_literal=True)
    def implementation(*_: Any, **__: Any) -> Any:
        return function

    return function
