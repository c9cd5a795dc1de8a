//! The command line: words, and options of the form `--name value`.

use std::collections::HashMap;
use std::str::FromStr;

pub(crate) struct Options {
    words: Vec<&'static str>,
    values: HashMap<String, String>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let (mut words, mut values) = (Vec::<&str>::new(), HashMap::new());
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--") {
                Some(name) => {
                    let value = arguments.next().unwrap_or_else(|| panic!("--{name} needs a value"));
                    values.insert(name.to_owned(), value);
                }
                // They last as long as the process.
                None => words.push(argument.leak()),
            }
        }
        Self { words, values }
    }

    pub(crate) fn words(&self) -> &[&'static str] {
        &self.words
    }

    pub(crate) fn get<T: FromStr>(&self, name: &str) -> Option<T> {
        let value = self.values.get(name)?;
        Some(value.parse().unwrap_or_else(|_| panic!("--{name} {value}?")))
    }
}
