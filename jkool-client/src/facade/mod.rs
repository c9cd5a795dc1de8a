//! Code that the adapters share: keys, messages, recursion, settings, the guard, panics.

pub(crate) mod guard;
pub mod keys;
pub mod message;
pub mod now;
pub(crate) mod panic_hook;
pub mod recursion;
pub mod settings;
pub mod surroundings;
pub mod times;

pub use crate::emit::spare_entity::{activity as spare_activity, event as spare_event};
