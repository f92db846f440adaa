//! Listeners, TLS, HTTP client and pools, bodies, clock.
