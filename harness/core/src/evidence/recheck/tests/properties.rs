//! Any single edit of any file is told, but for the times that nothing shows.

use proptest::prelude::*;

use super::*;

/// One edit, at a place given as a part of the whole.
#[derive(Debug, Clone)]
enum Edit {
    Flip(u8),
    Insert(u8),
    Delete,
    CutShort,
    Append(u8),
    Remove,
    Rename,
    Copy,
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (1..=255_u8).prop_map(Edit::Flip),
        any::<u8>().prop_map(Edit::Insert),
        Just(Edit::Delete),
        Just(Edit::CutShort),
        any::<u8>().prop_map(Edit::Append),
        Just(Edit::Remove),
        Just(Edit::Rename),
        Just(Edit::Copy),
    ]
}

fn apply(files: &mut Files, path: &str, at: usize, edit: &Edit) {
    let mut content = files.remove(path).unwrap();
    let at = at % content.len();
    let renamed = format!("{path}.old");
    match edit {
        Edit::Flip(bits) => content[at] ^= bits,
        Edit::Insert(byte) => content.insert(at, *byte),
        Edit::Delete => drop(content.remove(at)),
        Edit::CutShort => content.truncate(at),
        Edit::Append(byte) => content.push(*byte),
        Edit::Remove => return,
        Edit::Rename => {
            files.insert(renamed, content);
            return;
        }
        Edit::Copy => drop(files.insert(renamed, content.clone())),
    }
    files.insert(path.to_owned(), content);
}

/// What `docs/EVIDENCE.md` says that recheck can't tell: that a time which no page shows is another one.
fn is_only_another_time(path: &str) -> bool {
    path == layout::TIMES || path.starts_with("times/")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_single_edit_of_any_file_is_reported(
        file in any::<prop::sample::Index>(), at in any::<usize>(), edit in edits(),
    ) {
        let whole = bundle(&TWO, State::Complete);
        let path = file.get(&whole.keys().cloned().collect::<Vec<_>>()).clone();
        let mut edited = whole.clone();
        apply(&mut edited, &path, at, &edit);
        prop_assume!(edited != whole);
        let told = recheck(&edited, &compile).map_or(true, |rechecked| !rechecked.holds());
        let untold = is_only_another_time(&path) && matches!(edit, Edit::Flip(_) | Edit::Insert(_) | Edit::Delete);
        prop_assert!(told || untold, "{edit:?} of {path} at {at} is not told");
    }
}
