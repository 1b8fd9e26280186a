//! A tower layer that knows who calls: master key and virtual keys.
