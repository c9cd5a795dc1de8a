//! The arrangement of the viewlets of a dashboard: tiles that can be moved and resized with the script, and the text
//! that the script sends.

use super::dashboard_url::DashboardUrl;
use crate::dashboard::{Dashboard, Viewlet, name_of};
use maud::{Markup, html};

/// The tiles. Without the script they are links to the viewlets' forms.
pub(super) fn tiles(url: &DashboardUrl, dashboard: &Dashboard) -> Markup {
    html! {
        ol.arrange aria-label="How they are arranged" data-action=(url.edit()) data-version=(dashboard.version()) {
            @for (index, viewlet) in dashboard.viewlets.iter().enumerate() {
                li class={ "tile w" (viewlet.width) " r" (viewlet.height) } data-viewlet=(index) data-width=(viewlet.width) data-height=(viewlet.height) {
                    a href=(url.edit_viewlet(index)) draggable="false" { (viewlet.title) }
                    span.hint { (viewlet.kind.map_or("as the sentence says", name_of)) }
                }
            }
        }
        p.hint.drag hidden {
            "Drag a tile to move it, and its corner to resize it. On the keyboard, arrows move the tile that has the focus, and Shift with "
            "arrows resizes it."
        }
        p #arranged .unseen role="status" {}
    }
}

/// Returns the viewlets as arranged by `places`: `2:6x1,0:12x2,1:3x2` puts the third viewlet first, six columns wide
/// and one row high. `None` unless each viewlet occurs exactly once.
pub(super) fn arranged(viewlets: &[Viewlet], places: &str) -> Option<Vec<Viewlet>> {
    let mut left: Vec<Option<&Viewlet>> = viewlets.iter().map(Some).collect();
    let mut arranged = Vec::with_capacity(viewlets.len());
    for place in places.split(',') {
        let (index, size) = place.split_once(':')?;
        let (width, height) = size.split_once('x')?;
        let viewlet = left.get_mut(index.parse::<usize>().ok()?)?.take()?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        arranged.push(Viewlet { width, height, ..viewlet.clone() });
    }
    left.iter().all(Option::is_none).then_some(arranged)
}

#[cfg(test)]
mod tests {
    use super::arranged;
    use crate::dashboard::Viewlet;

    #[test]
    fn each_is_there_once_or_nothing_is_changed() {
        let viewlets: Vec<_> = ["get a", "get b", "get c"].map(Viewlet::new).into();
        let said = arranged(&viewlets, "2:6x1,0:12x2,1:3x4").unwrap();
        let said: Vec<_> = said.iter().map(|one| (one.query.as_str(), one.width, one.height)).collect();
        assert_eq!(said, [("get c", 6, 1), ("get a", 12, 2), ("get b", 3, 4)]);
        for wrong in ["", "0:1x1", "0:1x1,1:1x1,1:1x1", "0:1x1,1:1x1,3:1x1", "0:1,1:1x1,2:1x1", "0:1x1,1:1x1,2:1x999"] {
            assert_eq!(arranged(&viewlets, wrong), None, "{wrong}");
        }
    }
}
