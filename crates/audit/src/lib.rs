//! A tower layer that keeps a tamper-evident record of each call.
