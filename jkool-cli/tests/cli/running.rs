//! Processes that end with their test.

use crate::common::Ran;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};

/// A process that is killed when this is dropped, also when the test fails.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// Ends it as a service manager does, and waits for its end.
    pub(crate) fn terminate(mut self) -> Ran {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
        self.wait_with_output()
    }

    /// Waits for its end.
    pub(crate) fn wait_with_output(&mut self) -> Ran {
        self.0.take().unwrap().wait_with_output().unwrap().into()
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().unwrap()
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop((child.kill(), child.wait()));
        }
    }
}
