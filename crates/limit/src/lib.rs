//! A tower layer that limits requests and tokens a minute.
