//! A tower layer that refuses prompt injection and leaking answers.
