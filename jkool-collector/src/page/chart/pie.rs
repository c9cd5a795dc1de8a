//! A pie chart.

use super::unit::Unit;
use crate::page::format::{cut, number};
use maud::{Markup, html};
use std::f64::consts::TAU;

/// A slice.
#[derive(Debug)]
pub(in crate::page) struct Slice {
    pub(in crate::page) name: String,
    /// The CSS class of the colour.
    pub(in crate::page) color: String,
    pub(in crate::page) value: f64,
}

/// A ring with a legend. Values that are not positive have no slice.
pub(in crate::page) fn pie(label: &str, slices: &[Slice], unit: Unit) -> Markup {
    // Divided first, because the sum may exceed the largest float.
    let most = slices.iter().map(|slice| slice.value).fold(0.0, f64::max);
    let part = |slice: &Slice| if most > 0.0 { slice.value.max(0.0) / most } else { 0.0 };
    let total: f64 = slices.iter().map(part).sum();
    let mut end = 0.0;
    let arcs = slices.iter().filter(|slice| part(slice) > 0.0).map(|slice| {
        let from = end;
        end += part(slice) / total;
        (slice, arc(from, end))
    });
    html! {
        div.pie {
            svg viewBox="-50 -50 100 100" role="img" aria-label=(label) {
                @for (slice, arc) in arcs {
                    path class={ "f-" (slice.color) } d=(arc) { title { (slice.name) ": " (unit.say(slice.value)) } }
                }
            }
            ul.legend {
                @for slice in slices {
                    li {
                        span class={ "swatch f-" (slice.color) } {}
                        span.name title=(cut(&slice.name, 200)) { (cut(&slice.name, 40)) }
                        b { (unit.say(slice.value)) }
                        @if total > 0.0 { span { (number((part(slice) / total * 1_000.0).round() / 10.0)) " %" } }
                    }
                }
            }
        }
    }
}

/// The path of a part of the ring, between two fractions of it.
fn arc(from: f64, to: f64) -> String {
    const OUTER: f64 = 48.0;
    const INNER: f64 = 28.0;
    // An arc that ends where it starts would not be drawn.
    let to = to.min(from + 0.9999);
    let point = |share: f64, radius: f64| {
        let angle = share * TAU;
        format!("{:.2} {:.2}", radius * angle.sin(), -radius * angle.cos())
    };
    let large = u8::from(to - from > 0.5);
    format!(
        "M{}A{OUTER} {OUTER} 0 {large} 1 {}L{}A{INNER} {INNER} 0 {large} 0 {}z",
        point(from, OUTER),
        point(to, OUTER),
        point(to, INNER),
        point(from, INNER)
    )
}

#[cfg(test)]
mod tests {
    use super::{Slice, arc, pie};
    use crate::page::chart::Unit;

    #[test]
    fn a_ring_has_no_part_of_what_is_nothing() {
        let slice = |name: &str, value| Slice { name: name.into(), color: "c0".into(), value };
        let drawn = pie("x", &[slice("a", 3.0), slice("b", 0.0), slice("c", 1.0)], Unit::NUMBER).into_string();
        assert_eq!(drawn.matches("<path").count(), 2);
        assert!(drawn.contains("75 %") && drawn.contains("25 %"), "{drawn}");
        let huge = pie("x", &[slice("a", f64::MAX), slice("b", f64::MAX)], Unit::NUMBER).into_string();
        assert!(huge.contains("50 %") && !huge.contains("NaN"), "{huge}");
        assert!(!pie("x", &[slice("a", 0.0)], Unit::NUMBER).into_string().contains("NaN"));
        assert_ne!(arc(0.0, 1.0).split('A').next(), arc(0.0, 1.0).rsplit(' ').next());
    }
}
