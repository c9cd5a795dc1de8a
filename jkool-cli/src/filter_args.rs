//! The arguments that select events, shared by the reading commands.

use jkool_client::model::SourceFqn;
use jkool_collector::{Filter, Kind, Moment, SeverityRange};

/// The filter's options. All that is said must hold.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct FilterArgs {
    /// event, activity or snapshot
    #[arg(long)]
    kind: Option<Kind>,
    /// How grave: ERROR, '>=ERROR', '<=INFO', INFO..WARNING
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
    /// The tracking id of what it belongs to
    #[arg(long)]
    parent: Option<String>,
    /// From then on: so long ago (90s, 15m, 1h, 7d), or a time (2026-03-09T12:00:00Z)
    #[arg(long, short)]
    since: Option<Moment>,
    /// Until then; as --since
    #[arg(long)]
    until: Option<Moment>,
}

impl FilterArgs {
    /// Whether it says from when on.
    pub(crate) fn has_since(&self) -> bool {
        self.since.is_some()
    }

    /// As a filter, together with words that the message must hold.
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
