#![allow(clippy::unwrap_used)]

use super::*;

fn table(columns: &[&str], public: bool) -> TableSurface {
    TableSurface { columns: columns.iter().map(|column| (*column).to_owned()).collect(), public }
}

fn surface() -> Surface {
    Surface {
        tables: BTreeMap::from([
            ("event".to_owned(), table(&["id U64", "text String"], true)),
            ("key".to_owned(), table(&["key String"], false)),
        ]),
        reducers: BTreeMap::from([("append".to_owned(), "String, U64".to_owned())]),
        row_level_security: BTreeSet::from(["SELECT * FROM event".to_owned()]),
    }
}

/// The only change that an edit of a module makes, and whether it breaks clients.
fn change_by(edit: impl FnOnce(&mut Surface)) -> (String, bool) {
    let mut new = surface();
    edit(&mut new);
    let mut changes = surface().changes(&new);
    let change = changes.pop().unwrap();
    assert!(changes.is_empty(), "one change only: {changes:?}");
    (change.what, change.breaks)
}

#[test]
fn a_module_differs_in_nothing_from_itself() {
    assert!(surface().changes(&surface()).is_empty());
    assert_eq!(surface().digest(), surface().digest());
}

#[test]
fn what_takes_something_from_clients_breaks_them() {
    let breaking = [
        change_by(|new| drop(new.reducers.remove("append"))),
        change_by(|new| drop(new.reducers.insert("append".to_owned(), "String".to_owned()))),
        change_by(|new| drop(new.tables.remove("event"))),
        change_by(|new| new.tables.get_mut("event").unwrap().public = false),
        change_by(|new| new.tables.get_mut("event").unwrap().columns.push("more U8".to_owned())),
        change_by(|new| new.tables.get_mut("event").unwrap().columns.reverse()),
        change_by(|new| new.row_level_security.clear()),
    ];
    assert!(breaking.iter().all(|(_, breaks)| *breaks), "{breaking:#?}");
}

#[test]
fn what_only_adds_or_is_not_seen_by_clients_breaks_nobody() {
    let harmless = [
        change_by(|new| drop(new.reducers.insert("prune".to_owned(), String::new()))),
        change_by(|new| drop(new.tables.insert("more".to_owned(), TableSurface::default()))),
        change_by(|new| drop(new.tables.remove("key"))),
        change_by(|new| new.tables.get_mut("key").unwrap().columns.push("more U8".to_owned())),
        change_by(|new| new.tables.get_mut("key").unwrap().public = true),
    ];
    assert!(harmless.iter().all(|(_, breaks)| !*breaks), "{harmless:#?}");
}
