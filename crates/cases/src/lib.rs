//! Runs policy case files against the engine with fake edges.
