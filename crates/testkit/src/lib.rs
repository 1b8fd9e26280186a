//! Mock providers, parse counters, canaries and private servers for tests.
