//! A scenario file as a tree that can be cut, and as text in the style of the house: one entry a line.

use toml_edit::{DocumentMut, Item, Key, TableLike, Value};

/// The widest line of a list that stands on one line.
const WIDTH: usize = 110;

/// Where a part of a tree is: the index at each level, from the root.
pub(super) type Path = Vec<usize>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Table(Vec<(String, Tree)>),
    List(Vec<Tree>),
    Whole(i64),
    Text(String),
    /// A fraction, a truth or a date, as it is written.
    Other(String),
}

/// How large a scenario is: how many parts it has, then how great its numbers are, then how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size {
    parts: usize,
    numbers: u64,
    length: usize,
}

impl Tree {
    pub(super) fn parse(text: &str) -> Option<Tree> {
        text.parse::<DocumentMut>().ok().map(|document| of_table(document.as_table()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Tree> {
        self.table()?.iter().find(|(name, _)| name == key).map(|(_, tree)| tree)
    }

    pub(super) fn set(&mut self, key: &str, value: Tree) {
        let Tree::Table(entries) = self else { return };
        match entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, there)) => *there = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Tree::Table(entries) = self {
            entries.retain(|(name, _)| name != key);
        }
    }

    pub(super) fn table(&self) -> Option<&[(String, Tree)]> {
        if let Tree::Table(entries) = self { Some(entries) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Tree]> {
        if let Tree::List(members) = self { Some(members) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn at(&mut self, path: &[usize]) -> Option<&mut Tree> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let child = match self {
            Tree::Table(entries) => entries.get_mut(*first).map(|(_, tree)| tree),
            Tree::List(members) => members.get_mut(*first),
            _ => None,
        };
        child?.at(rest)
    }

    pub(super) fn size(&self) -> Size {
        let mut size = Size { parts: 0, numbers: 0, length: print(self).text.len() };
        self.measure(&mut size);
        size
    }

    fn measure(&self, size: &mut Size) {
        size.parts += usize::from(self.list().is_none());
        match self {
            Tree::Table(entries) => entries.iter().for_each(|(_, tree)| tree.measure(size)),
            Tree::List(members) => members.iter().for_each(|tree| tree.measure(size)),
            Tree::Whole(number) => size.numbers = size.numbers.saturating_add(number.unsigned_abs()),
            // A number that is still to be drawn is no small one.
            Tree::Text(text) if text == "random" || text == "each" => size.numbers += 1 << 20,
            Tree::Text(text) => {
                if let Some((first, last)) = range(text) {
                    size.numbers += (1 << 20) + first.unsigned_abs().saturating_add(last.unsigned_abs());
                }
            }
            Tree::Other(_) => {}
        }
    }

    fn inline(&self) -> String {
        match self {
            Tree::Table(entries) => {
                let entry =
                    |(key, tree): &(String, Tree)| format!("{} = {}", Key::new(key).display_repr(), tree.inline());
                format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Tree::List(members) => format!("[{}]", members.iter().map(Tree::inline).collect::<Vec<_>>().join(", ")),
            Tree::Whole(number) => number.to_string(),
            Tree::Text(text) => Value::from(text.as_str()).to_string(),
            Tree::Other(text) => text.clone(),
        }
    }
}

/// The ends of a text such as `1..=12`.
pub(super) fn range(text: &str) -> Option<(i64, i64)> {
    let (first, last) = text.split_once("..=")?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first < last).then_some((first, last))
}

fn of_table(table: &dyn TableLike) -> Tree {
    Tree::Table(table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect())
}

fn of_item(item: &Item) -> Tree {
    match item {
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => Tree::List(tables.iter().map(|table| of_table(table)).collect()),
        Item::Value(value) => of_value(value),
        Item::None => Tree::Other(String::new()),
    }
}

fn of_value(value: &Value) -> Tree {
    match value {
        Value::InlineTable(table) => of_table(table),
        Value::Array(array) => Tree::List(array.iter().map(of_value).collect()),
        Value::Integer(number) => Tree::Whole(*number.value()),
        Value::String(text) => Tree::Text(text.value().clone()),
        other => Tree::Other(other.clone().decorated("", "").to_string()),
    }
}

pub(super) struct Printed {
    pub(super) text: String,
    /// Of each line the entry of the root that it is of, and the place in its list where it is a member of one.
    pub(super) lines: Vec<Option<(usize, Option<usize>)>>,
}

/// The keys of the root, in the order in which a file has them; blank lines part the groups.
const GROUPS: [&[&str]; 3] = [
    &[
        "schema",
        "name",
        "title",
        "proves",
        "seed",
        "found",
        "legacy_defects",
        "candidate_defects",
        "bridge",
        "converge_within_ms",
        "backoff",
    ],
    &["expand", "streams", "clients", "steps", "faults", "toxics"],
    &["at_least", "expect"],
];

pub(super) fn print(tree: &Tree) -> Printed {
    let mut printed = Printed { text: "#:schema ../scenario.schema.json\n".to_owned(), lines: vec![None] };
    let entries = tree.table().unwrap_or_default();
    let group = |key: &str| GROUPS.iter().position(|keys| keys.contains(&key)).unwrap_or(GROUPS.len());
    let place = |key: &str| GROUPS.concat().iter().position(|known| *known == key).unwrap_or(usize::MAX);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| place(&entries[*index].0));
    let mut before = 0;
    for index in order {
        let (key, value) = &entries[index];
        if group(key) != before {
            before = group(key);
            printed.line(None, "");
        }
        let key = Key::new(key);
        let line = format!("{} = {}", key.display_repr(), value.inline());
        match value.list().filter(|members| members.first().is_some_and(|first| first.table().is_some())) {
            Some(members) if members.len() > 1 || line.len() > WIDTH => {
                printed.line(None, &format!("{} = [", key.display_repr()));
                for (place, member) in members.iter().enumerate() {
                    printed.line(Some((index, Some(place))), &format!("  {},", member.inline()));
                }
                printed.line(None, "]");
            }
            Some(_) => printed.line(Some((index, Some(0))), &line),
            None => printed.line(Some((index, None)), &line),
        }
    }
    printed
}

impl Printed {
    fn line(&mut self, of: Option<(usize, Option<usize>)>, text: &str) {
        self.text += text;
        self.text.push('\n');
        self.lines.push(of);
    }
}
