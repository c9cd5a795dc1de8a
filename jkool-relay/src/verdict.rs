//! What an outcome means for the record. Pure.

use jkool_client::{DeliveryOutcome, LossReason};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is where it belongs, or durable on the way there.
    Done,
    /// The server refuses it: the client has handed it to the dead letters before it said so.
    DeadLetter,
    /// It was dropped for what it is, or by a hook: to give it again would change nothing. It is counted.
    Dropped(LossReason),
    /// The client has ended. It is given again by the next start.
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
        // No other is known: it is safe to give it again.
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
