//! Entities as comma-separated values (RFC 4180).

use crate::filter::{Kind, operation_of, severity_of};
use crate::store::Stored;
use jkool_model::Entity;

/// The names of the columns, after the byte order mark by which Excel recognizes UTF-8.
pub(super) const HEAD: &str = "\u{feff}time,severity,kind,type,operation,message,source,correlators,tracking id,parent id,\
    elapsed usec,comp code,reason code,exception,location,user,resource\r\n";

/// Appends the line of an entity.
pub(super) fn write(out: &mut Vec<u8>, stored: &Stored) {
    let entity = &stored.entity;
    let text = |text: Option<&dyn ToString>| text.map(ToString::to_string).unwrap_or_default();
    macro_rules! both {
        ($of:ident => $field:expr) => {
            match entity {
                Entity::Event($of) => $field,
                Entity::Activity($of) => $field,
                _ => Default::default(),
            }
        };
    }
    let message = match entity {
        Entity::Event(event) => event.message.to_string(),
        Entity::Snapshot(snapshot) => format!("{}@{}", snapshot.name, snapshot.category),
        _ => String::new(),
    };
    let columns: [String; 17] = [
        stored.time.to_string(),
        severity_of(entity).to_string(),
        Kind::of(entity).to_string(),
        entity.op_type().to_string(),
        operation_of(entity).unwrap_or_default().to_owned(),
        message,
        text(entity.source().map(|source| source as _)),
        entity.correlators().join(" "),
        text(entity.tracking_id().map(|id| id as _)),
        text(entity.parent_id().map(|id| id as _)),
        both!(of => text(of.elapsed_usec.as_ref().map(|usec| usec as _))),
        both!(of => text(of.comp_code.as_ref().map(|code| code as _))),
        both!(of => text(of.reason_code.as_ref().map(|code| code as _))),
        both!(of => of.exception.to_string()),
        both!(of => of.location.to_string()),
        both!(of => of.user.to_string()),
        both!(of => of.resource.to_string()),
    ];
    let line: Vec<String> = columns.into_iter().map(field).collect();
    out.extend_from_slice(line.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes a field. A value that a spreadsheet would run as a formula gets a `'` before it, because events may come from
/// untrusted senders; plain numbers do not.
pub fn field(text: String) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && text.parse::<f64>().is_err();
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn what_is_special_is_quoted_and_no_formula_is_left() {
        for (text, expected) in [
            ("", ""),
            ("Order 7 processed", "Order 7 processed"),
            ("a, \"b\"\nc", "\"a, \"\"b\"\"\nc\""),
            ("=1+2", "'=1+2"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
            ("-2+cmd|' /C calc'!A0", "'-2+cmd|' /C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("-42", "-42"),
            ("-42.5", "-42.5"),
            ("+1e3", "+1e3"),
            ("-x", "'-x"),
        ] {
            assert_eq!(field(text.to_owned()), expected);
        }
    }
}
