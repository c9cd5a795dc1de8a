//! The arguments that select events, shared by the reading commands.

use jkool_client::model::SourceFqn;
use jkool_collector::{Filter, Kind, Moment, SeverityRange};

/// The options of a filter. All of them must match.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct FilterArgs {
    /// event, activity or snapshot
    #[arg(long)]
    kind: Option<Kind>,
    /// The severity: ERROR, '>=ERROR', '<=INFO', INFO..WARNING
    #[arg(long)]
    severity: Option<SeverityRange>,
    /// The operation's name
    #[arg(long)]
    operation: Option<String>,
    /// Elements of the source, in any order: SERVER=web-1, 'APPL=WebOrders#DATACENTER=DC1'
    #[arg(long)]
    source: Option<SourceFqn>,
    /// A correlator
    #[arg(long)]
    corrid: Option<String>,
    /// The tracking id of the parent
    #[arg(long)]
    parent: Option<String>,
    /// From this time: an age (90s, 15m, 1h, 7d) or a time (2026-03-09T12:00:00Z)
    #[arg(long, short)]
    since: Option<Moment>,
    /// Until this time; as for --since
    #[arg(long)]
    until: Option<Moment>,
}

impl FilterArgs {
    /// Whether `--since` is given.
    pub(crate) fn has_since(&self) -> bool {
        self.since.is_some()
    }

    /// Converts the options to a filter, with words that the message must contain.
    pub(crate) fn into_filter(self, text: Option<String>) -> Filter {
        let mut filter = Filter::default();
        filter.kind = self.kind;
        filter.severity = self.severity;
        filter.operation = self.operation;
        filter.source = self.source;
        filter.text = text;
        filter.correlator = self.corrid;
        filter.parent = self.parent;
        filter.since = self.since;
        filter.until = self.until;
        filter
    }
}
