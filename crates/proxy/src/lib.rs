//! Router, access check, request driver, backends.
