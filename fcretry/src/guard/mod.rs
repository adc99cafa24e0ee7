//! Guards: what calls share so that a bad minute stays a bad minute. Each is a trait with an implementation in this
//! process, and works by itself.

mod soon;

pub use soon::Soon;
