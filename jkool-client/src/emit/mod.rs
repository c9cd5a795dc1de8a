//! Encodes events and log lines as JSON, and determines the facts about machine, process, thread and time in them.

pub(crate) mod catch_panic;
pub(crate) mod clock;
pub(crate) mod code;
pub(crate) mod decoration;
pub(crate) mod defaults;
pub(crate) mod delivery_thread;
pub(crate) mod encode;
pub(crate) mod host;
pub(crate) mod ids;
pub(crate) mod line;
pub(crate) mod more;
pub(crate) mod raw_properties;
pub(crate) mod span;
pub(crate) mod spare_entity;
pub(crate) mod surroundings;
pub(crate) mod thread;
