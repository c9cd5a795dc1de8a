//! Source names: their type, builder and parser.

use crate::source_type::SourceType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The source of an event, as a fully qualified name (FQN). Each element is contained in the next one: the application, its
/// server, its address, its data centre, its location.
///
/// Cloning is cheap. Its text consists of `TYPE=name` elements joined by `#`, in the order in which they were added.
///
/// ```
/// use jkool_model::{SourceFqn, SourceType};
///
/// let built = SourceFqn::builder().appl("WebOrders").server("web-1").geoaddr("52.52437,13.41053").build()?;
/// let parsed: SourceFqn = "APPL=WebOrders#SERVER=web-1#GEOADDR=52.52437,13.41053".parse()?;
/// assert_eq!(built, parsed);
/// assert_eq!(parsed.get(SourceType::Server), Some("web-1"));
/// assert_eq!(parsed.to_string(), "APPL=WebOrders#SERVER=web-1#GEOADDR=52.52437,13.41053");
///
/// let error = "APPL=WebOrders#SERVER".parse::<SourceFqn>().unwrap_err();
/// assert_eq!(error.to_string(), "source element 2 at byte 15: `SERVER` has no `=` between type and name");
/// # Ok::<(), jkool_model::SourceError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SourceFqn(Arc<str>);

/// An error in a source name: which element, where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The number of the element, from 1; 0 if there is none.
    pub element: usize,
    /// The position of the error, in bytes from the start of the whole text.
    pub offset: usize,
    /// What is wrong.
    pub reason: SourceFault,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element {
            0 => self.reason.fmt(f),
            element => write!(f, "source element {element} at byte {}: {}", self.offset, self.reason),
        }
    }
}

impl std::error::Error for SourceError {}

/// The kinds of errors in an element of a source name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceFault {
    /// There is no element.
    #[error("a source needs at least one TYPE=name element")]
    Empty,
    /// An empty element, as between two `#`.
    #[error("the element is empty")]
    EmptyElement,
    /// An element without `=`.
    #[error("`{0}` has no `=` between type and name")]
    NoEquals(String),
    /// The type is not in [`SourceType::ALL`]; types are written in upper case.
    #[error("`{0}` is not a source type")]
    UnknownType(String),
    /// The name is empty.
    #[error("the name of {0} is empty")]
    EmptyName(SourceType),
    /// The name contains `#`, `=` or a control character, for which the protocol has no escape.
    #[error("the name of {source_type} contains {character:?}")]
    ForbiddenCharacter {
        /// The type of the element.
        source_type: SourceType,
        /// The first character that is not allowed.
        character: char,
    },
}

impl SourceFqn {
    /// Returns a builder. The first element is the innermost.
    pub fn builder() -> SourceFqnBuilder {
        SourceFqnBuilder::default()
    }

    /// Returns the complete name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the elements, innermost first.
    pub fn elements(&self) -> impl Iterator<Item = (SourceType, &str)> {
        // Valid by construction, so nothing is filtered out.
        self.0.split('#').filter_map(|element| {
            let (source_type, name) = element.split_once('=')?;
            Some((SourceType::from_str(source_type).ok()?, name))
        })
    }

    /// Returns the name of the first element of this type.
    pub fn get(&self, source_type: SourceType) -> Option<&str> {
        self.elements().find(|(found, _)| *found == source_type).map(|(_, name)| name)
    }

    /// Returns whether an element has the name `?`, the placeholder that the sending client fills in.
    pub fn has_placeholders(&self) -> bool {
        self.elements().any(|(_, name)| name == "?")
    }

    /// Returns the source with each `?` replaced by the name that `fill` returns. If it returns `None`, the placeholder stays.
    ///
    /// # Errors
    /// If `fill` returns a name that is not allowed in a source.
    pub fn fill_placeholders(&self, fill: impl Fn(SourceType) -> Option<String>) -> Result<Self, SourceError> {
        self.elements()
            .fold(Self::builder(), |builder, (source_type, name)| match fill(source_type).filter(|_| name == "?") {
                Some(filled) => builder.element(source_type, &filled),
                None => builder.element(source_type, name),
            })
            .build()
    }

    /// Builds a source from text that a client did not validate: text that is no element becomes the name of a GENERIC element,
    /// forbidden characters become `_`, and types may be in lower case. Returns `None` if there is no name at all.
    pub(crate) fn lenient(text: &str) -> Option<Self> {
        if let Ok(source) = text.parse() {
            return Some(source);
        }
        let mend = |name: &str| name.replace(|c: char| c == '=' || c.is_control(), "_");
        text.split('#')
            .filter(|element| !element.trim().is_empty())
            .fold(Self::builder(), |builder, element| {
                let known =
                    element.split_once('=').and_then(|(source_type, name)| Some((source_type.parse().ok()?, name)));
                match known {
                    Some((source_type, "")) => builder.element(source_type, "unknown"),
                    Some((source_type, name)) => builder.element(source_type, mend(name)),
                    None => builder.element(SourceType::Generic, mend(element)),
                }
            })
            .build()
            .ok()
    }
}

impl FromStr for SourceFqn {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(SourceError { element: 0, offset: 0, reason: SourceFault::Empty });
        }
        let mut offset = 0;
        for (index, element) in text.split('#').enumerate() {
            check_element(element).map_err(|(at, reason)| SourceError {
                element: index + 1,
                offset: offset + at,
                reason,
            })?;
            offset += element.len() + 1;
        }
        Ok(Self(text.into()))
    }
}

/// An error, and its position in bytes from the start of the element.
type Fault = (usize, SourceFault);

fn check_element(element: &str) -> Result<(), Fault> {
    if element.is_empty() {
        return Err((0, SourceFault::EmptyElement));
    }
    let Some((type_word, name)) = element.split_once('=') else {
        return Err((0, SourceFault::NoEquals(element.chars().take(64).collect())));
    };
    let source_type = SourceType::from_str(type_word)
        .ok()
        .filter(|source_type| source_type.as_str() == type_word)
        .ok_or_else(|| (0, SourceFault::UnknownType(type_word.chars().take(64).collect())))?;
    check_name(source_type, name).map_err(|(at, reason)| (type_word.len() + 1 + at, reason))
}

fn check_name(source_type: SourceType, name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err((0, SourceFault::EmptyName(source_type)));
    }
    match name.char_indices().find(|(_, c)| matches!(c, '#' | '=') || c.is_control()) {
        Some((at, character)) => Err((at, SourceFault::ForbiddenCharacter { source_type, character })),
        None => Ok(()),
    }
}

impl fmt::Display for SourceFqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SourceFqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFqn({})", self.0)
    }
}

impl Serialize for SourceFqn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// As strict as [`FromStr`]. The `source-fqn` of an [`Event`](crate::Event) is read leniently.
impl<'de> Deserialize<'de> for SourceFqn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Builds a [`SourceFqn`], innermost element first. The order of the calls is kept.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct SourceFqnBuilder {
    text: String,
    elements: usize,
    fault: Option<SourceError>,
}

impl SourceFqnBuilder {
    /// Adds an element. The name `?` is a placeholder that the sending client fills in.
    pub fn element(mut self, source_type: SourceType, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        if self.elements > 0 {
            self.text.push('#');
        }
        self.elements += 1;
        self.text.push_str(source_type.as_str());
        self.text.push('=');
        if let Err((at, reason)) = check_name(source_type, name) {
            // Reports the first error; later ones may follow from it.
            let offset = self.text.len() + at;
            self.fault.get_or_insert(SourceError { element: self.elements, offset, reason });
        }
        self.text.push_str(name);
        self
    }

    /// Validates the elements and returns the source.
    ///
    /// # Errors
    /// If there is no element, or a name is empty or contains `#`, `=` or a control character.
    pub fn build(self) -> Result<SourceFqn, SourceError> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.elements == 0 => Err(SourceError { element: 0, offset: 0, reason: SourceFault::Empty }),
            None => Ok(SourceFqn(self.text.into())),
        }
    }
}

macro_rules! element_methods {
    ($( $(#[$meta:meta])* $method:ident => $variant:ident ),+ $(,)?) => {
        impl SourceFqnBuilder {
            $( $(#[$meta])* pub fn $method(self, name: impl AsRef<str>) -> Self {
                self.element(SourceType::$variant, name)
            } )+
        }
    };
}

element_methods! {
    /// Adds a GENERIC element: anything that has no type of its own.
    generic => Generic,
    /// Adds a USER.
    user => User,
    /// Adds an APPL: the application.
    appl => Appl,
    /// Adds a PROCESS.
    process => Process,
    /// Adds an APPSERVER.
    appserver => Appserver,
    /// Adds a SERVER: the host.
    server => Server,
    /// Adds a RUNTIME.
    runtime => Runtime,
    /// Adds a VIRTUAL machine or container.
    virtual_machine => Virtual,
    /// Adds a NETWORK.
    network => Network,
    /// Adds a DEVICE.
    device => Device,
    /// Adds a NETADDR: the network address.
    netaddr => Netaddr,
    /// Adds a GEOADDR: latitude and longitude in degrees, `52.52437,13.41053`.
    geoaddr => Geoaddr,
    /// Adds a DATACENTER.
    datacenter => Datacenter,
    /// Adds a DATASTORE.
    datastore => Datastore,
    /// Adds a CACHE.
    cache => Cache,
    /// Adds a SERVICE.
    service => Service,
    /// Adds a QUEUE.
    queue => Queue,
    /// Adds a FILE.
    file => File,
    /// Adds a TOPIC.
    topic => Topic,
}
