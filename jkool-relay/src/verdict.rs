//! What the outcome of an event means for its record. Pure.

use jkool_client::{DeliveryOutcome, LossReason};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was delivered, or is durable in the spool.
    Done,
    /// The server rejected it; the client had passed it to the dead letters before.
    DeadLetter,
    /// It was dropped because of its content, or by a hook. It is counted; reading it again would not help.
    Dropped(LossReason),
    /// The client has ended. The next start reads it again.
    Open(LossReason),
}

pub(crate) fn verdict(outcome: DeliveryOutcome) -> Verdict {
    match outcome {
        DeliveryOutcome::Delivered | DeliveryOutcome::Spooled => Verdict::Done,
        DeliveryOutcome::Dropped(LossReason::Rejected | LossReason::TooLarge) => Verdict::DeadLetter,
        DeliveryOutcome::Dropped(
            reason @ (LossReason::Invalid | LossReason::BeforeSend | LossReason::HookPanic | LossReason::Expired),
        ) => Verdict::Dropped(reason),
        DeliveryOutcome::Dropped(reason) => Verdict::Open(reason),
        // Unknown outcomes: reading it again is safe.
        _ => Verdict::Open(LossReason::WorkerFailed),
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};
    use jkool_client::{DeliveryOutcome, LossReason};

    #[test]
    fn what_is_lost_with_the_client_stays_open() {
        assert_eq!(verdict(DeliveryOutcome::Delivered), Verdict::Done);
        assert_eq!(verdict(DeliveryOutcome::Spooled), Verdict::Done);
        for reason in LossReason::ALL {
            let found = verdict(DeliveryOutcome::Dropped(*reason));
            let expected = match reason.name() {
                "rejected" | "too_large" => Verdict::DeadLetter,
                "invalid" | "before_send" | "hook_panic" | "expired" => Verdict::Dropped(*reason),
                _ => Verdict::Open(*reason),
            };
            assert_eq!(found, expected, "{reason}");
        }
    }
}
