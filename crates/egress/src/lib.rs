//! A connector and client that reach nothing that is not allowed.
