//! What can make a scenario smaller. The moves that take most away come first.

use super::tree::{Path, Tree, range};

/// The lists of the root whose members can go, those that need the others first.
const LISTS: [&str; 5] = ["toxics", "faults", "steps", "clients", "streams"];
/// Keys whose texts are names of clients, streams, faults or toxics.
const REFERENCES: [&str; 13] = [
    "client", "clients", "stream", "streams", "of", "fault", "toxics", "delivery", "proof", "ack", "acked", "topic",
    "name",
];
/// What a search wrote, and what the format needs.
const FIXED: [&str; 6] = ["schema", "name", "title", "seed", "found", "proves"];
/// So many cases of an expanded scenario are tried alone.
const MAX_CASES: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// Takes members out of a list, and what names them.
    Drop {
        list: Path,
        from: usize,
        count: usize,
    },
    /// Leaves one case of those that the scenario is expanded over.
    Case {
        binding: Vec<(String, Tree)>,
    },
    /// Takes an entry out of a table.
    Remove {
        table: Path,
        index: usize,
    },
    Set {
        at: Path,
        value: Tree,
    },
    /// Gives short names to clients and streams: to all, or to one of them.
    Rename(Vec<(String, String)>),
}

pub(super) fn moves(tree: &Tree) -> Vec<Move> {
    let mut moves = Vec::new();
    let entries = tree.table().unwrap_or_default();
    let place = |key: &str| entries.iter().position(|(name, _)| name == key);
    for index in LISTS.iter().filter_map(|key| place(key)) {
        drops(&entries[index].1, &vec![index], &mut moves);
    }
    cases(tree, &mut moves);
    let inner: Vec<usize> = (0..entries.len()).filter(|index| !FIXED.contains(&entries[*index].0.as_str())).collect();
    for index in &inner {
        inner_lists(&entries[*index].1, &vec![*index], LISTS.contains(&entries[*index].0.as_str()), &mut moves);
    }
    moves.extend(inner.iter().map(|index| Move::Remove { table: Vec::new(), index: *index }));
    for index in &inner {
        removals(&entries[*index].1, &vec![*index], &mut moves);
    }
    for index in &inner {
        values(&entries[*index].1, &vec![*index], &mut moves);
    }
    renames(tree, &mut moves);
    moves
}

/// Members of a list: all of them, halves, quarters, and so on to each alone.
fn drops(list: &Tree, path: &Path, moves: &mut Vec<Move>) {
    let length = list.list().map_or(0, <[Tree]>::len);
    let mut count = length;
    while count > 0 {
        // From the end: what comes later is less often what the rest needs.
        let starts = (0..length).step_by(count).collect::<Vec<_>>();
        for from in starts.into_iter().rev() {
            moves.push(Move::Drop { list: path.clone(), from, count: count.min(length - from) });
        }
        count /= 2;
    }
}

fn inner_lists(tree: &Tree, path: &Path, is_done: bool, moves: &mut Vec<Move>) {
    if tree.list().is_some() && !is_done {
        drops(tree, path, moves);
    }
    children(tree, path, |child, path| inner_lists(child, path, false, moves));
}

fn removals(tree: &Tree, path: &Path, moves: &mut Vec<Move>) {
    for index in 0..tree.table().map_or(0, <[_]>::len) {
        moves.push(Move::Remove { table: path.clone(), index });
    }
    children(tree, path, |child, path| removals(child, path, moves));
}

fn values(tree: &Tree, path: &Path, moves: &mut Vec<Move>) {
    let mut set = |value| moves.push(Move::Set { at: path.clone(), value });
    match tree {
        Tree::Whole(number) => smaller(*number).into_iter().for_each(|number| set(Tree::Whole(number))),
        Tree::Text(text) if text == "random" => (1..=3).for_each(|number| set(Tree::Whole(number))),
        Tree::Text(text) => {
            if let Some((first, last)) = range(text) {
                let half = first + (last - first) / 2;
                set(Tree::List(vec![Tree::Whole(first)]));
                set(Tree::List(vec![Tree::Whole(last)]));
                set(Tree::Text(format!("{first}..={half}")));
                set(Tree::Text(format!("{}..={last}", half + 1)));
            }
        }
        _ => children(tree, path, |child, path| values(child, path, moves)),
    }
}

/// Numbers below a number, the smallest first: each halves what is left of the way.
fn smaller(number: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut step = number;
    while step > 0 {
        numbers.push(number - step);
        step /= 2;
    }
    if number > 1 {
        numbers.insert(1, 1);
        numbers.dedup();
    }
    numbers
}

fn cases(tree: &Tree, moves: &mut Vec<Move>) {
    let Some(expand) = tree.get("expand").and_then(Tree::table) else { return };
    let mut bindings = vec![Vec::new()];
    for (key, values) in expand {
        let values: Vec<Tree> = match (values, values.text().and_then(range)) {
            (_, Some((first, last))) => (first..=last).take(MAX_CASES).map(Tree::Whole).collect(),
            (Tree::List(values), None) => values.clone(),
            (value, None) => vec![value.clone()],
        };
        let extended = bindings.iter().flat_map(|binding: &Vec<(String, Tree)>| {
            values.iter().map(|value| [&binding[..], &[(key.clone(), value.clone())]].concat())
        });
        bindings = extended.take(MAX_CASES).collect();
    }
    moves.extend(bindings.into_iter().map(|binding| Move::Case { binding }));
}

fn renames(tree: &Tree, moves: &mut Vec<Move>) {
    let letter = |place: usize| char::from(b'a' + u8::try_from(place % 26).unwrap_or_default());
    let named = |list: &str, key: &str| -> Vec<String> {
        let members = tree.get(list).and_then(Tree::list).unwrap_or_default();
        members.iter().filter_map(|member| member.get(key)?.text().map(str::to_owned)).collect()
    };
    let clients = named("clients", "name").into_iter().enumerate();
    let clients = clients.map(|(place, name)| (name, letter(place).to_string()));
    let topics = named("streams", "topic").into_iter().enumerate();
    let topics = topics.map(|(place, topic)| (topic, format!("run:{}:events", letter(place))));
    let all: Vec<_> = clients.chain(topics).filter(|(old, new)| new.len() < old.len()).collect();
    if all.len() > 1 {
        moves.push(Move::Rename(all.clone()));
    }
    moves.extend(all.into_iter().map(|one| Move::Rename(vec![one])));
}

fn children(tree: &Tree, path: &Path, mut of: impl FnMut(&Tree, &Path)) {
    let below = |index: usize| [&path[..], &[index]].concat();
    match tree {
        Tree::Table(entries) => entries.iter().enumerate().for_each(|(index, (_, child))| of(child, &below(index))),
        Tree::List(members) => members.iter().enumerate().for_each(|(index, child)| of(child, &below(index))),
        _ => {}
    }
}

impl Move {
    /// The tree after the move. Whether it is a scenario is for the reader to say.
    pub(super) fn applied(&self, tree: &Tree) -> Option<Tree> {
        let mut tree = tree.clone();
        match self {
            Move::Drop { list, from, count } => {
                let Tree::List(members) = tree.at(list)? else { return None };
                let dropped: Vec<Tree> = members.drain(*from..from + count).collect();
                let is_empty = members.is_empty();
                if is_empty {
                    let (index, table) = list.split_last()?;
                    if let Tree::Table(entries) = tree.at(table)? {
                        entries.remove(*index);
                    }
                }
                let names = dropped.iter().filter_map(|member| member.get("name").or_else(|| member.get("topic")));
                for name in names.filter_map(Tree::text) {
                    forget(&mut tree, name);
                }
            }
            Move::Case { binding } => {
                tree.remove("expand");
                bind(&mut tree, "", binding);
            }
            Move::Remove { table, index } => {
                let Tree::Table(entries) = tree.at(table)? else { return None };
                entries.remove(*index);
            }
            Move::Set { at, value } => *tree.at(at)? = value.clone(),
            Move::Rename(names) => {
                let Tree::Table(entries) = &mut tree else { return None };
                let of_the_script = entries.iter_mut().filter(|(key, _)| !FIXED.contains(&key.as_str()));
                of_the_script.for_each(|(_, child)| rename(child, false, names));
            }
        }
        Some(tree)
    }
}

/// Takes a name out of all lists, and with it the entries that are of nothing else.
fn forget(tree: &mut Tree, name: &str) {
    let Tree::Table(entries) = tree else { return };
    for (_, list) in entries.iter_mut() {
        if let Tree::List(members) = list {
            members.retain_mut(|member| keeps(member, name));
        }
    }
    entries.retain(|(key, list)| !(LISTS.contains(&key.as_str()) && list.list().is_some_and(<[Tree]>::is_empty)));
}

/// Whether anything is left of an entry without a name.
fn keeps(entry: &mut Tree, name: &str) -> bool {
    let Tree::Table(entries) = entry else { return true };
    entries.iter_mut().all(|(key, value)| match value {
        Tree::Text(text) => !(REFERENCES.contains(&key.as_str()) && key != "name" && text == name),
        Tree::List(members) if REFERENCES.contains(&key.as_str()) => {
            members.retain(|member| member.text() != Some(name));
            !members.is_empty()
        }
        Tree::Table(_) => keeps(value, name),
        _ => true,
    })
}

/// Puts the values of a case where `each` stands.
fn bind(tree: &mut Tree, key: &str, binding: &[(String, Tree)]) {
    match tree {
        Tree::Table(entries) => entries.iter_mut().for_each(|(key, child)| bind(child, key, binding)),
        Tree::List(members) => members.iter_mut().for_each(|child| bind(child, key, binding)),
        Tree::Text(text) if text == "each" => {
            let own = binding.iter().find(|(name, _)| name == key);
            if let Some((_, value)) = own.or_else(|| binding.iter().find(|(name, _)| name == "position")) {
                *tree = value.clone();
            }
        }
        _ => {}
    }
}

fn rename(tree: &mut Tree, is_reference: bool, names: &[(String, String)]) {
    match tree {
        Tree::Table(entries) => {
            entries.iter_mut().for_each(|(key, child)| rename(child, REFERENCES.contains(&key.as_str()), names));
        }
        Tree::List(members) => members.iter_mut().for_each(|child| rename(child, is_reference, names)),
        Tree::Text(text) if is_reference => {
            if let Some((_, new)) = names.iter().find(|(old, _)| old == text) {
                *text = new.clone();
            }
        }
        _ => {}
    }
}
