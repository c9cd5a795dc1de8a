//! The types of source elements.

use crate::spelling::closed_enum;

closed_enum! {
    /// The type of an element of a [`SourceFqn`](crate::SourceFqn).
    pub enum SourceType: "source type" {
        /// Anything else.
        Generic = "GENERIC",
        /// A user.
        User = "USER",
        /// An application.
        Appl = "APPL",
        /// A process.
        Process = "PROCESS",
        /// An application server.
        Appserver = "APPSERVER",
        /// A server, a host.
        Server = "SERVER",
        /// A language runtime.
        Runtime = "RUNTIME",
        /// A virtual machine or container.
        Virtual = "VIRTUAL",
        /// A network.
        Network = "NETWORK",
        /// A device.
        Device = "DEVICE",
        /// A network address.
        Netaddr = "NETADDR",
        /// A location: latitude and longitude in degrees, `52.52437,13.41053`.
        Geoaddr = "GEOADDR",
        /// A data centre.
        Datacenter = "DATACENTER",
        /// A data store.
        Datastore = "DATASTORE",
        /// A cache.
        Cache = "CACHE",
        /// A service.
        Service = "SERVICE",
        /// A queue.
        Queue = "QUEUE",
        /// A file.
        File = "FILE",
        /// A topic.
        Topic = "TOPIC",
    }
}
